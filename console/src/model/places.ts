import { arrange } from "./arrange.ts";
import { modules } from "./modules.ts";

/** Everything the diagram can show, and everything a step can start from or lead to. */
export type ModuleName = (typeof modules)[number]["name"];
export type ServiceName = ModuleName | "gateway";
export type DatabaseName = `${ModuleName}.db`;
export type Place = "client" | "bus" | ServiceName | DatabaseName;

/** From left to right: who calls another stands beside it, if that can be. */
export const moduleNames: readonly ModuleName[] = arrange(modules);

export const serviceNames: readonly ServiceName[] = ["gateway", ...moduleNames];

/** What modules do to each other, of which their arrows tell. */
export interface Relations {
  readonly name: ModuleName;
  readonly calls: readonly ModuleName[];
  readonly publishes: readonly string[];
  /** Publisher → types of its events that it applies. */
  readonly applies: Readonly<Partial<Record<string, readonly string[]>>>;
}

const list: readonly Relations[] = modules;
export const relations: readonly Relations[] = list.toSorted(
  (a, b) => moduleNames.indexOf(a.name) - moduleNames.indexOf(b.name),
);

const PLACE_NAMES: Readonly<Partial<Record<Place, string>>> = {
  client: "Client",
  gateway: "API Gateway",
  bus: "Event bus",
};

/** Module → what keeps its data, as far as it is known: `SQLite`, a file each, or `PostgreSQL`, a schema each. */
export type Engines = Readonly<Partial<Record<string, string>>>;

/** The place as a person calls it. */
export function placeName(place: Place, engines: Engines = {}): string {
  if (isDatabase(place)) return databaseName(place, engines).join("");
  return PLACE_NAMES[place] ?? `${place[0]?.toUpperCase()}${place.slice(1)}`;
}

/** Where a step begins and ends: `Orders → orders.db`. */
export function routeName({ from, to }: { readonly from: Place; readonly to: Place }, engines: Engines): string {
  return `${placeName(from, engines)} → ${placeName(to, engines)}`;
}

/** Its two parts: `orders` and `.db`, or `schema ` and `orders`. */
export function databaseName(place: DatabaseName, engines: Engines): readonly [string, string] {
  const module = place.slice(0, -".db".length);
  return engines[module] === "PostgreSQL" ? ["schema ", module] : [module, ".db"];
}

export function isModule(name: string | undefined): name is ModuleName {
  return moduleNames.some((known) => known === name);
}

export function isService(name: string | undefined): name is ServiceName {
  return name === "gateway" || isModule(name);
}

export function isDatabase(place: Place): place is DatabaseName {
  return place.endsWith(".db");
}

/** The four kinds of arrow: a call between services of one process is no request, and not drawn as one. */
export type ArrowKind = "http" | "direct" | "event" | "query";
