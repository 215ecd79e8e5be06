import { nothing, type SVGTemplateResult, svg } from "lit";
import type { Box, Geometry } from "../model/geometry.ts";
import { isModule, type ModuleName, moduleNames, type ServiceName } from "../model/places.ts";
import { hostOf, type ProcessGroup, pidOf } from "../model/topology.ts";

/** As many columns leave room for a pid beside the arrows. */
const ROOMY = 3;

/** How far apart the frames pass below others whose modules do not lie side by side. */
const LANE = 14;

const RADIUS = 14;

/** A part of a frame that belongs to a service or the bus; what lies between two has no name. */
interface Part {
  readonly of: ServiceName | "bus" | undefined;
  readonly box: Box;
}

/** One frame around everything that shares a process, whatever the split. */
export function drawFrames(geometry: Geometry, groups: readonly ProcessGroup[]): SVGTemplateResult[] {
  const scattered = groups.filter(isScattered);
  return groups.map((group) => {
    const parts = partsOf(group, geometry, LANE * Math.max(0, scattered.indexOf(group)));
    const rects = parts.map(
      ({ of, box }) =>
        svg`<rect data-part=${of ?? nothing} x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx=${RADIUS}></rect>`,
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
function partsOf(group: ProcessGroup, geometry: Geometry, drop: number): Part[] {
  const modules = moduleNames.filter((name) => group.services.includes(name));
  const rows = [...group.services.filter((name) => !isModule(name)), ...(group.holdsBus ? (["bus"] as const) : [])];
  return [
    ...rows.flatMap((of): Part[] => {
      const box = geometry.cells.get(of);
      return box === undefined ? [] : [{ of, box }];
    }),
    ...modules.map((of) => ({ of, box: columnOf(of, group, geometry, drop) })),
    ...(isScattered(group) ? bridge(modules, geometry, drop) : []),
  ];
}

/** The column of a module, which reaches into those parts of its frame that lie beside it: so they become one. */
function columnOf(name: ModuleName, { services, holdsBus }: ProcessGroup, { cells }: Geometry, drop: number): Box {
  const cell = cells.get(name);
  if (cell === undefined) throw new Error(`${name} has no cell`);
  const index = moduleNames.indexOf(name);
  const reach = (neighbour: ModuleName | undefined): number => {
    const other = neighbour !== undefined && services.includes(neighbour) ? cells.get(neighbour) : undefined;
    return other === undefined ? 0 : (Math.abs(other.x - cell.x) - cell.width) / 2 + RADIUS;
  };
  const [left, right] = [reach(moduleNames[index - 1]), reach(moduleNames[index + 1])];
  const [row, bus] = [
    services.includes("gateway") ? cells.get("gateway") : undefined,
    holdsBus ? cells.get("bus") : undefined,
  ];
  const top = row === undefined ? cell.y : row.y + row.height / 2;
  const bottom = bus === undefined ? cell.y + cell.height + drop : bus.y + bus.height / 2;
  return { x: cell.x - left, y: top, width: cell.width + left + right, height: bottom - top };
}

function bridge(modules: readonly ModuleName[], geometry: Geometry, drop: number): Part[] {
  const [from, to] = [modules[0], modules.at(-1)];
  if (from === undefined || to === undefined) return [];
  const box = geometry.bridge(from, to);
  return [{ of: undefined, box: { ...box, y: box.y + drop } }];
}
