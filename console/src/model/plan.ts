import { type ArrowKind, type Place, placeName, relations } from "./places.ts";

export type FlowName = "registration" | "order";

/** A step as the design foresees it, before anything has run. */
export interface PlannedStep {
  readonly from: Place;
  readonly to: Place;
  readonly kind: ArrowKind;
  readonly what: string;
  readonly why: string;
  /** True for what happens after the client has its answer. */
  readonly afterwards?: true;
}

/**
 * What a flow is meant to do where it runs now. Once it has run, its real steps are shown instead.
 * @param shared whether two services share a process: then one calls the other directly
 */
export function planOf(name: FlowName, shared: (from: Place, to: Place) => boolean): readonly PlannedStep[] {
  return [...plans[name], ...furtherSteps(plans[name])].map((each) =>
    each.kind === "http" && shared(each.from, each.to) ? { ...each, kind: "direct" } : each,
  );
}

/** What modules of which the plan does not tell do with its events. */
function furtherSteps(plan: readonly PlannedStep[]): PlannedStep[] {
  const published = plan.filter(({ to }) => to === "bus");
  return published.flatMap(({ from: publisher, what }) => {
    const subscribers = relations.filter(({ applies }) => applies[publisher]?.includes(what));
    const others = subscribers.filter(({ name }) => !plan.some((each) => each.to === name && each.what === what));
    return others.flatMap(({ name }) => [
      afterwards(step("bus", name, "event", what, `${placeName(name)} takes the event, too.`)),
      afterwards(
        step(name, `${name}.db`, "query", "its effect", "The effect is saved together with how far it has read."),
      ),
    ]);
  });
}

function afterwards(step: PlannedStep): PlannedStep {
  return { ...step, afterwards: true };
}

const plans: Readonly<Record<FlowName, readonly PlannedStep[]>> = {
  registration: [
    step("client", "gateway", "http", "POST /users/register", "The client sends name, email and password."),
    step(
      "gateway",
      "users",
      "http",
      "POST /users/register",
      "Auth headers are checked, rate limits applied; then it is routed to users.",
    ),
    step(
      "users",
      "users.db",
      "query",
      "INSERT INTO users",
      "The data is validated, the password hashed, the user written to the isolated database.",
    ),
    step("gateway", "client", "http", "201 Created", "The new user and a signed token go back through the gateway."),
  ],
  order: [
    step(
      "client",
      "gateway",
      "http",
      "POST /orders/create",
      "The client names a product and a quantity, and possibly a user.",
    ),
    step(
      "gateway",
      "orders",
      "http",
      "POST /orders/create",
      "The token is verified, the rate limit applied; then it is routed to orders.",
    ),
    step("orders", "users", "http", "GET /users/{id}", "Does this user exist? Orders asks and waits."),
    step("orders", "products", "http", "GET /products/{id}", "Is there stock enough, and what is the price?"),
    step(
      "orders",
      "orders.db",
      "query",
      "INSERT INTO orders",
      "The order and its event are saved together, or not at all.",
    ),
    step("gateway", "client", "http", "201 Created", "The client has its answer; nobody waits for the stock."),
    afterwards(step("orders", "bus", "event", "order.created", "The saved event goes to the event bus.")),
    afterwards(step("bus", "products", "event", "order.created", "Products takes the event.")),
    afterwards(
      step("products", "products.db", "query", "UPDATE products SET stock", "The stock is lowered, all lines or none."),
    ),
    afterwards(
      step(
        "products",
        "bus",
        "event",
        "stock.reserved",
        "Products tells what it decided; a short stock is stock.rejected.",
      ),
    ),
    afterwards(step("bus", "orders", "event", "stock.reserved", "The order becomes confirmed, or rejected.")),
  ],
};

function step(from: Place, to: Place, kind: ArrowKind, what: string, why: string): PlannedStep {
  return { from, to, kind, what, why };
}
