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

/** The place as a person calls it. */
export function placeName(place: Place): string {
  return PLACE_NAMES[place] ?? (isDatabase(place) ? place : `${place[0]?.toUpperCase()}${place.slice(1)}`);
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
