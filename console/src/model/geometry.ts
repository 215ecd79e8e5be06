import type { ArrowKind, ModuleName, Place, ServiceName } from "./places.ts";

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
  readonly width: number;
  readonly margin: number;
  readonly gap: number;
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
  service: { width: 80, height: 54 },
  gateway: { width: 150, height: 50 },
  client: { width: 90, height: 38 },
  database: { width: 52, height: 52 },
  rows: { gateway: 74, modules: 186, bus: 406 },
};

/** The modules' columns from left to right: orders between the two that it asks. */
const COLUMNS: readonly ModuleName[] = ["users", "orders", "products"];

const LABEL_HEIGHT = 22;
const BUS_HEIGHT = 46;

/** Where everything of the diagram lies. The narrow one is for screens on which the wide one's text would be too small. */
export function layOut(narrow: boolean): Geometry {
  const m = narrow ? NARROW : WIDE;
  const column = (m.width - 2 * m.margin - 2 * m.gap) / 3;
  const centre = m.width / 2;
  const columnX = (name: ModuleName) => m.margin + COLUMNS.indexOf(name) * (column + m.gap);
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
  for (const name of COLUMNS) {
    const x = columnX(name);
    const service = centred(x + column / 2, serviceY, m.service);
    boxes.set(name, service);
    // Users has no events, so its database stands in the middle; the others leave room for theirs.
    const databaseX = name === "users" ? x + column / 2 : service.x + m.database.width / 2 - (narrow ? 4 : 0);
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

function drawEdges(boxes: ReadonlyMap<Place, Box>): Edge[] {
  const at = (place: Place): Box => {
    const box = boxes.get(place);
    if (box === undefined) throw new Error(`${place} has no box`);
    return box;
  };
  const client = at("client");
  const gateway = at("gateway");
  const orders = at("orders");
  const bus = at("bus");
  const callY = orders.y + orders.height / 2;
  const edges: Edge[] = [
    down("client", "gateway", "http", middle(client), bottom(client), gateway.y),
    across("orders", "users", orders.x, callY, right(at("users"))),
    across("orders", "products", right(orders), callY, at("products").x),
  ];
  for (const [index, name] of COLUMNS.entries()) {
    const target = at(name);
    const database = at(`${name}.db`);
    const startX = middle(gateway) + (index - 1) * gateway.width * 0.32;
    edges.push(curve("gateway", name, startX, bottom(gateway), middle(target), target.y));
    edges.push(down(name, `${name}.db`, "query", middle(database), bottom(target), database.y));
  }
  for (const name of ["orders", "products"] as const) {
    const box = at(name);
    const wide = box.width > 100;
    const outX = right(box) - (wide ? 44 : 22);
    const backX = outX + (wide ? 24 : 15);
    // The numbers of the two lines stand at different heights, for the lines are close.
    edges.push(down(name, "bus", "event", outX, bottom(box), bus.y, 0.3));
    edges.push(down("bus", name, "event", backX, bus.y, bottom(box), 0.42));
  }
  return edges;
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

function curve(from: Place, to: Place, fromX: number, fromY: number, toX: number, toY: number): Edge {
  const half = (toY - fromY) / 2;
  const path = `M ${fromX} ${fromY} C ${fromX} ${fromY + half}, ${toX} ${toY - half}, ${toX} ${toY - HEAD_ROOM}`;
  return { from, to, kind: "http", path, badge: { x: (fromX + toX) / 2, y: fromY + half } };
}

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
