import {
  type ArrowKind,
  type ModuleName,
  moduleNames,
  type Place,
  type Relations,
  relations,
  type ServiceName,
} from "./places.ts";

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** An arrow of the diagram, drawn from one place to another. */
export interface Edge {
  readonly from: Place;
  readonly to: Place;
  readonly kind: ArrowKind;
  /** The path in SVG's language. */
  readonly path: string;
  /** Where the numbers of its steps stand. */
  readonly badge: { readonly x: number; readonly y: number };
}

export interface Geometry {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<Place, Box>;
  readonly edges: readonly Edge[];
  /** The part of a frame that belongs to a service: the gateway's row, a module's column. */
  readonly cells: ReadonlyMap<ServiceName | "bus", Box>;
  /** Where a frame that begins with this service has its name. */
  label(service: ServiceName): { readonly x: number; readonly y: number };
  /** What joins columns of one process that do not lie side by side. */
  bridge(from: ModuleName, to: ModuleName): Box;
}

/** The measures that differ between a wide and a narrow drawing; the arrangement is the same. */
interface Measures {
  /** Of the whole, as long as there is room for the columns. */
  readonly width: number;
  readonly margin: number;
  readonly gap: number;
  /** What a column needs at least. */
  readonly column: number;
  readonly service: { readonly width: number; readonly height: number };
  readonly gateway: { readonly width: number; readonly height: number };
  readonly client: { readonly width: number; readonly height: number };
  readonly database: { readonly width: number; readonly height: number };
  readonly rows: { readonly gateway: number; readonly modules: number; readonly bus: number };
}

const WIDE: Measures = {
  width: 680,
  margin: 12,
  gap: 16,
  column: 172,
  service: { width: 148, height: 56 },
  gateway: { width: 220, height: 52 },
  client: { width: 116, height: 42 },
  database: { width: 84, height: 56 },
  rows: { gateway: 84, modules: 204, bus: 434 },
};

const NARROW: Measures = {
  width: 340,
  margin: 3,
  gap: 7,
  column: 90,
  service: { width: 80, height: 54 },
  gateway: { width: 150, height: 50 },
  client: { width: 90, height: 38 },
  database: { width: 52, height: 52 },
  rows: { gateway: 74, modules: 186, bus: 406 },
};

const LABEL_HEIGHT = 22;
const BUS_HEIGHT = 46;

/** Where everything of the diagram lies. The narrow one is for screens on which the wide one's text would be too small. */
export function layOut(narrow: boolean): Geometry {
  const m = measure(narrow ? NARROW : WIDE);
  const column = columnOf(m);
  const centre = m.width / 2;
  const columnX = (name: ModuleName) => m.margin + moduleNames.indexOf(name) * (column + m.gap);
  const boxes = new Map<Place, Box>([
    ["client", centred(centre, 4, m.client)],
    ["gateway", centred(centre, m.rows.gateway + LABEL_HEIGHT, m.gateway)],
    ["bus", { x: m.margin + 10, y: m.rows.bus + 12, width: m.width - 2 * m.margin - 20, height: BUS_HEIGHT }],
  ]);
  const cells = new Map<ServiceName | "bus", Box>([
    ["gateway", row(m, m.rows.gateway, m.gateway.height + LABEL_HEIGHT + 12)],
    ["bus", row(m, m.rows.bus, BUS_HEIGHT + 24)],
  ]);
  const serviceY = m.rows.modules + 14;
  const databaseY = serviceY + m.service.height + 46;
  const columnHeight = databaseY + m.database.height + LABEL_HEIGHT + 4 - m.rows.modules;
  for (const { name, ...relation } of relations) {
    const x = columnX(name);
    const service = centred(x + column / 2, serviceY, m.service);
    boxes.set(name, service);
    // Where there are no events, the database stands in the middle; the others leave room for theirs.
    const databaseX = hasEvents(relation) ? service.x + m.database.width / 2 - (narrow ? 4 : 0) : x + column / 2;
    boxes.set(`${name}.db`, centred(databaseX, databaseY, m.database));
    cells.set(name, { x, y: m.rows.modules, width: column, height: columnHeight });
  }
  const bridgeY = m.rows.modules + columnHeight - 10;
  return {
    width: m.width,
    height: m.rows.bus + BUS_HEIGHT + 26,
    boxes,
    cells,
    edges: drawEdges(boxes),
    // Below a database there is room; above a service its arrow arrives.
    label: (service) =>
      service === "gateway"
        ? { x: m.margin + 10, y: m.rows.gateway + 17 }
        : { x: columnX(service) + 8, y: m.rows.modules + columnHeight - 8 },
    bridge(from, to) {
      const [left, right] = [columnX(from), columnX(to)].sort((a, b) => a - b);
      return { x: left ?? 0, y: bridgeY, width: (right ?? 0) - (left ?? 0) + column, height: 10 };
    },
  };
}

/** As wide as the columns need. */
function measure(m: Measures): Measures {
  const count = moduleNames.length;
  return { ...m, width: Math.max(m.width, 2 * m.margin + count * m.column + (count - 1) * m.gap) };
}

function columnOf({ width, margin, gap }: Measures): number {
  const count = moduleNames.length;
  return (width - 2 * margin - (count - 1) * gap) / count;
}

function hasEvents({ publishes, applies }: Pick<Relations, "publishes" | "applies">): boolean {
  return publishes.length > 0 || Object.keys(applies).length > 0;
}

function drawEdges(boxes: ReadonlyMap<Place, Box>): Edge[] {
  const at = (place: Place): Box => {
    const box = boxes.get(place);
    if (box === undefined) throw new Error(`${place} has no box`);
    return box;
  };
  const client = at("client");
  const gateway = at("gateway");
  const bus = at("bus");
  const last = relations.length - 1;
  return [
    down("client", "gateway", "http", middle(client), bottom(client), gateway.y),
    ...relations.flatMap(({ name, calls }) => calls.map((callee) => call(name, callee, at))),
    ...relations.flatMap(({ name }, index) => {
      const target = at(name);
      const database = at(`${name}.db`);
      const startX = middle(gateway) + (index - last / 2) * gateway.width * (0.64 / Math.max(1, last));
      return [
        curve("gateway", name, startX, bottom(gateway), middle(target), target.y),
        down(name, `${name}.db`, "query", middle(database), bottom(target), database.y),
      ];
    }),
    ...relations.flatMap((relation) => drawEvents(relation, at(relation.name), bus)),
  ];
}

function drawEvents({ name, publishes, applies }: Relations, box: Box, bus: Box): Edge[] {
  const wide = box.width > 100;
  const outX = right(box) - (wide ? 44 : 22);
  const backX = outX + (wide ? 24 : 15);
  // The numbers of the two lines stand at different heights, for the lines are close.
  return [
    ...(publishes.length > 0 ? [down(name, "bus", "event", outX, bottom(box), bus.y, 0.3)] : []),
    ...(Object.keys(applies).length > 0 ? [down("bus", name, "event", backX, bus.y, bottom(box), 0.42)] : []),
  ];
}

/** To a neighbour straight; over the heads of those that stand between. */
function call(from: ModuleName, to: ModuleName, at: (place: Place) => Box): Edge {
  const [caller, callee] = [at(from), at(to)];
  const steps = moduleNames.indexOf(to) - moduleNames.indexOf(from);
  const y = caller.y + caller.height / 2;
  if (steps === 1) return across(from, to, right(caller), y, callee.x);
  if (steps === -1) return across(from, to, caller.x, y, right(callee));
  const inset = caller.width * 0.3 * Math.sign(steps);
  return over(from, to, middle(caller) + inset, middle(callee) - inset, caller.y);
}

/** A vertical line. @param badgeAt how far along it the numbers stand, 0 to 1 */
function down(from: Place, to: Place, kind: ArrowKind, x: number, fromY: number, toY: number, badgeAt = 0.5): Edge {
  const endY = toY - Math.sign(toY - fromY) * HEAD_ROOM;
  return { from, to, kind, path: `M ${x} ${fromY} L ${x} ${endY}`, badge: { x, y: fromY + (toY - fromY) * badgeAt } };
}

function across(from: Place, to: Place, fromX: number, y: number, toX: number): Edge {
  const endX = toX - Math.sign(toX - fromX) * HEAD_ROOM;
  const isShort = Math.abs(toX - fromX) < 50;
  // A short line would vanish behind its numbers: they stand above it.
  const badge = { x: (fromX + toX) / 2, y: isShort ? y - 16 : y };
  return { from, to, kind: "http", path: `M ${fromX} ${y} L ${endX} ${y}`, badge };
}

/** @param y of the tops of both */
function over(from: Place, to: Place, fromX: number, toX: number, y: number): Edge {
  const top = y - OVER;
  const path = `M ${fromX} ${y} C ${fromX} ${top}, ${fromX} ${top}, ${fromX + Math.sign(toX - fromX) * OVER} ${top} L ${toX - Math.sign(toX - fromX) * OVER} ${top} C ${toX} ${top}, ${toX} ${top}, ${toX} ${y - HEAD_ROOM}`;
  return { from, to, kind: "http", path, badge: { x: (fromX + toX) / 2, y: top } };
}

function curve(from: Place, to: Place, fromX: number, fromY: number, toX: number, toY: number): Edge {
  const half = (toY - fromY) / 2;
  const path = `M ${fromX} ${fromY} C ${fromX} ${fromY + half}, ${toX} ${toY - half}, ${toX} ${toY - HEAD_ROOM}`;
  return { from, to, kind: "http", path, badge: { x: (fromX + toX) / 2, y: fromY + half } };
}

/** How high a call passes over services. */
const OVER = 24;

/** Lines end a little before what they lead to, so that the head does not touch it. */
const HEAD_ROOM = 3;

function centred(x: number, y: number, size: { readonly width: number; readonly height: number }): Box {
  return { x: x - size.width / 2, y, ...size };
}

function row(m: Measures, y: number, height: number): Box {
  return { x: m.margin, y, width: m.width - 2 * m.margin, height };
}

const middle = (box: Box): number => box.x + box.width / 2;
const right = (box: Box): number => box.x + box.width;
const bottom = (box: Box): number => box.y + box.height;
