import { type SVGTemplateResult, svg } from "lit";
import type { Box, Geometry } from "../model/geometry.ts";
import { isModule, type ModuleName, moduleNames, type ServiceName } from "../model/places.ts";
import { hostOf, type ProcessGroup, pidOf } from "../model/topology.ts";

/** As many columns leave room for a pid beside the arrows. */
const ROOMY = 3;

/** How far apart the frames pass below others whose modules do not lie side by side. */
const LANE = 14;

/** One frame around everything that shares a process, whatever the split. */
export function drawFrames(geometry: Geometry, groups: readonly ProcessGroup[]): SVGTemplateResult[] {
  const scattered = groups.filter(isScattered);
  return groups.map((group) => {
    const boxes = boxesOf(group, geometry, LANE * Math.max(0, scattered.indexOf(group)));
    const rects = boxes.map(
      (box) => svg`<rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="14"></rect>`,
    );
    // Drawn twice: with its line and then without, the parts of one frame become one shape.
    return svg`<g class="frame" data-services=${group.services.join(" ")}>
      <g class="outline">${rects}</g>
      <g class="inside">${rects}</g>
    </g>`;
  });
}

/** What each frame is called; drawn above the arrows. @param brief true where there is room for little */
export function drawFrameLabels(
  geometry: Geometry,
  groups: readonly ProcessGroup[],
  brief: boolean,
): SVGTemplateResult[] {
  const hosts = new Set(groups.flatMap(({ process }) => (process === undefined ? [] : [hostOf(process)])));
  return groups.map((group) => {
    const first = firstOf(group);
    if (first === undefined) return svg``;
    const { x, y } = geometry.label(first);
    const isTight = first !== "gateway" && moduleNames.length > ROOMY;
    return svg`<text class="frame-label" x=${x} y=${y}>${labelOf(group, groups.length, brief || isTight || hosts.size > 1)}</text>`;
  });
}

function firstOf({ services }: ProcessGroup): ServiceName | undefined {
  return services.find((name) => name === "gateway") ?? moduleNames.find((name) => services.includes(name));
}

/**
 * A process is called by what it serves. Containers have a host each, whose name says nothing, and often the same pid.
 * @param brief true where the pid says nothing, or there is no room for it
 */
function labelOf({ process, services }: ProcessGroup, processes: number, brief: boolean): string {
  if (processes === 1) return process === undefined ? "one process" : `one process, pid ${pidOf(process)}`;
  const names = services.join(", ");
  return process === undefined || brief ? names : `${names}, pid ${pidOf(process)}`;
}

/** Whether others stand between its modules, and no gateway above joins them. */
function isScattered({ services }: ProcessGroup): boolean {
  const places = moduleNames.flatMap((name, at) => (services.includes(name) ? [at] : []));
  return !services.includes("gateway") && Math.max(...places) - Math.min(...places) >= places.length;
}

/** @param drop how much deeper than usual it reaches */
function boxesOf({ services, holdsBus }: ProcessGroup, geometry: Geometry, drop: number): Box[] {
  const cell = (name: (typeof services)[number] | "bus"): Box[] => {
    const box = geometry.cells.get(name);
    return box === undefined ? [] : [box];
  };
  // A bus in memory is of a process that holds everything.
  if (holdsBus) return wholeOf(geometry);
  const modules = moduleNames.filter((name) => services.includes(name));
  const boxes = services.filter((name) => !isModule(name)).flatMap(cell);
  const columns = modules.flatMap(cell).map((box) => ({ ...box, height: box.height + drop }));
  return [...boxes, ...columns, ...joints(modules, services.includes("gateway"), geometry, drop)];
}

/** What fills the gaps between cells of one frame. */
function joints(modules: readonly ModuleName[], gateway: boolean, geometry: Geometry, drop: number): Box[] {
  const columns = modules.flatMap((name) => geometry.cells.get(name) ?? []);
  const row = geometry.cells.get("gateway");
  const found: Box[] = [];
  for (const [index, column] of columns.entries()) {
    if (gateway && row !== undefined) found.push({ ...column, y: row.y + row.height / 2, height: column.y - row.y });
    const next = columns[index + 1];
    if (next === undefined) continue;
    const adjacent = next.x - column.x - column.width < column.width;
    if (adjacent) found.push({ ...column, width: next.x + next.width - column.x });
    else if (!gateway) found.push(...bridge(modules, geometry, drop));
  }
  return found;
}

function bridge(modules: readonly ModuleName[], geometry: Geometry, drop: number): Box[] {
  const [from, to] = [modules[0], modules.at(-1)];
  if (from === undefined || to === undefined) return [];
  const box = geometry.bridge(from, to);
  return [{ ...box, y: box.y + drop }];
}

function wholeOf({ cells }: Geometry): Box[] {
  const gateway = cells.get("gateway");
  const bus = cells.get("bus");
  return gateway === undefined || bus === undefined ? [] : [{ ...gateway, height: bus.y + bus.height - gateway.y }];
}
