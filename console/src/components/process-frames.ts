import { type SVGTemplateResult, svg } from "lit";
import type { Box, Geometry } from "../model/geometry.ts";
import { isModule, moduleNames } from "../model/places.ts";
import { hostOf, type ProcessGroup, pidOf } from "../model/topology.ts";

/** One frame around everything that shares a process, whatever the split. */
export function drawFrames(geometry: Geometry, groups: readonly ProcessGroup[]): SVGTemplateResult[] {
  const hosts = new Set(groups.flatMap(({ process }) => (process === undefined ? [] : [hostOf(process)])));
  return groups.map((group) => {
    const boxes = boxesOf(group, geometry);
    const first =
      group.services.find((name) => name === "gateway") ?? moduleNames.find((name) => group.services.includes(name));
    if (first === undefined) return svg``;
    const label = geometry.label(first);
    const rects = boxes.map(
      (box) => svg`<rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="14"></rect>`,
    );
    // Drawn twice: with its line and then without, the parts of one frame become one shape.
    return svg`<g class="frame" data-services=${group.services.join(" ")}>
      <g class="outline">${rects}</g>
      <g class="inside">${rects}</g>
      <text x=${label.x} y=${label.y}>${labelOf(group, groups.length, hosts.size > 1)}</text>
    </g>`;
  });
}

/** Containers have a host each, and often the same pid. */
function labelOf({ process }: ProcessGroup, processes: number, manyHosts: boolean): string {
  if (process === undefined) return processes === 1 ? "one process" : "";
  if (processes === 1) return `one process, pid ${pidOf(process)}`;
  return manyHosts ? hostOf(process).slice(0, 12) : `pid ${pidOf(process)}`;
}

function boxesOf({ services, holdsBus }: ProcessGroup, geometry: Geometry): Box[] {
  const cell = (name: (typeof services)[number] | "bus"): Box[] => {
    const box = geometry.cells.get(name);
    return box === undefined ? [] : [box];
  };
  // A bus in memory is of a process that holds everything.
  if (holdsBus) return wholeOf(geometry);
  const modules = moduleNames.filter((name) => services.includes(name));
  const boxes = [...services.filter((name) => !isModule(name)), ...modules].flatMap(cell);
  return [...boxes, ...joints(modules, services.includes("gateway"), geometry)];
}

/** What fills the gaps between cells of one frame. */
function joints(modules: readonly (typeof moduleNames)[number][], gateway: boolean, geometry: Geometry): Box[] {
  const columns = modules.flatMap((name) => geometry.cells.get(name) ?? []);
  const row = geometry.cells.get("gateway");
  const found: Box[] = [];
  for (const [index, column] of columns.entries()) {
    if (gateway && row !== undefined) found.push({ ...column, y: row.y + row.height / 2, height: column.y - row.y });
    const next = columns[index + 1];
    if (next === undefined) continue;
    const adjacent = next.x - column.x - column.width < column.width;
    if (adjacent) found.push({ ...column, width: next.x + next.width - column.x });
    else if (!gateway) found.push(...bridge(modules, geometry));
  }
  return found;
}

function bridge(modules: readonly (typeof moduleNames)[number][], geometry: Geometry): Box[] {
  const [from, to] = [modules[0], modules.at(-1)];
  return from === undefined || to === undefined ? [] : [geometry.bridge(from, to)];
}

function wholeOf({ cells }: Geometry): Box[] {
  const gateway = cells.get("gateway");
  const bus = cells.get("bus");
  return gateway === undefined || bus === undefined ? [] : [{ ...gateway, height: bus.y + bus.height - gateway.y }];
}
