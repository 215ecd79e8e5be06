/** Everything the diagram can show, and everything a step can start from or lead to. */
export const moduleNames = ["users", "orders", "products"] as const;

export type ModuleName = (typeof moduleNames)[number];
export type ServiceName = ModuleName | "gateway";
export type DatabaseName = `${ModuleName}.db`;
export type Place = "client" | "bus" | ServiceName | DatabaseName;

export const serviceNames: readonly ServiceName[] = ["gateway", ...moduleNames];

const PLACE_NAMES: Readonly<Record<Place, string>> = {
  client: "Client",
  gateway: "API Gateway",
  users: "Users",
  products: "Products",
  orders: "Orders",
  bus: "Event bus",
  "users.db": "users.db",
  "products.db": "products.db",
  "orders.db": "orders.db",
};

/** The place as a person calls it. */
export function placeName(place: Place): string {
  return PLACE_NAMES[place];
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
