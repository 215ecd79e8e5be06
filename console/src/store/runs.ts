import { type Cell, createCell } from "../model/cell.ts";
import { newUser } from "../model/endpoints.ts";
import type { Flow } from "../model/flow.ts";
import { isRecord } from "../model/json.ts";
import { newUnique } from "../model/traceparent.ts";
import type { Exchange, Requests } from "./requests.ts";
import type { Stages } from "./stage.ts";
import type { Traces } from "./traces.ts";

export type RunName = "registration" | "order" | "oversold";

export interface Runs {
  readonly running: Cell<RunName | undefined>;
  /** What came of the last run, in a sentence. */
  readonly outcome: Cell<RunOutcome | undefined>;
  start(name: RunName): Promise<void>;
}

export interface RunOutcome {
  readonly run: RunName;
  readonly tone: "good" | "bad" | "plain";
  readonly text: string;
}

export interface RunsDeps {
  readonly requests: Requests;
  readonly traces: Traces;
  readonly stages: Stages;
  /** Sees to it that someone is signed in; false where a person has to. */
  ensureSignedIn(): Promise<boolean>;
  isAdmin(): boolean;
  /** A product that could be ordered some time ago. */
  knownProductId(): string | undefined;
  /** False where the real steps cannot be seen. */
  watching(): boolean;
  /** True where nothing should move. */
  still(): boolean;
}

/** How long the spans of a run may take to come. */
const SPANS_TIMEOUT_MS = 4_000;

/** Two orders at once usually both pass the first look at the stock; now and then one is so quick that the other is refused at once. */
const OVERSOLD_ATTEMPTS = 8;

/** The product of which there is one, so that two orders are one too many. */
const LAST_ONE = "Last umbrella";

interface Product {
  readonly id: string;
  readonly name: string;
  readonly stock: number;
}

/** Performs the real requests of the two flows and puts what came of them on the stage. */
export function createRuns(deps: RunsDeps): Runs {
  const running = createCell<RunName | undefined>(undefined);
  const outcome = createCell<RunOutcome | undefined>(undefined);
  const perform = { registration: runRegistration, order: runOrder, oversold: runOversold };

  return {
    running,
    outcome,
    async start(name) {
      if (running.get() !== undefined) return;
      running.set(name);
      outcome.set(undefined);
      try {
        if (name !== "registration" && !(await deps.ensureSignedIn()))
          throw new RunFailure("Sign in first: an order needs someone who places it.");
        outcome.set({ run: name, ...(await perform[name](deps)) });
      } catch (error) {
        if (!(error instanceof RunFailure)) throw error;
        outcome.set({ run: name, tone: "bad", text: error.message });
      } finally {
        running.set(undefined);
      }
    },
  };
}

/** What keeps a run from going on, told to the person who started it. */
class RunFailure extends Error {}

type Told = Omit<RunOutcome, "run">;

async function runRegistration(deps: RunsDeps): Promise<Told> {
  const done = await deps.requests.send("POST", "/users/register", newUser(newUnique()));
  await present(deps, done);
  return tell(done, "Registered, and signed in by a token of their own.");
}

async function runOrder(deps: RunsDeps): Promise<Told> {
  const product = await findPlentiful(deps);
  const done = await deps.requests.send("POST", "/orders/create", { product_id: product.id, quantity: 1 });
  const flow = await present(deps, done);
  if (flow?.outcome === "rejected") return { tone: "bad", text: `The order for “${product.name}” was rejected.` };
  const stock = flow?.outcome === "confirmed" ? " Nobody waited while the stock was lowered." : "";
  return tell(done, `Ordered “${product.name}”: ${flow?.outcome ?? "pending"}.${stock}`);
}

/** The product with the largest stock; where no list can be had, the one known from before, to show what becomes of that order. */
async function findPlentiful(deps: RunsDeps): Promise<Pick<Product, "id" | "name">> {
  const listed = await deps.requests.send("GET", "/products?limit=100");
  const known = deps.knownProductId();
  if (listed.answer?.status !== 200 && known !== undefined) return { id: known, name: known };
  const product = productsOf(listed).toSorted((a, b) => b.stock - a.stock)[0];
  if (product === undefined || product.stock === 0) throw new RunFailure("There is nothing in stock to order.");
  return product;
}

/** Two orders at the same moment for more than there is: one is confirmed, one is taken and then rejected by its event. */
async function runOversold(deps: RunsDeps): Promise<Told> {
  for (let attempt = 0; attempt < OVERSOLD_ATTEMPTS; attempt += 1) {
    const product = await findScarce(deps);
    const body = { product_id: product.id, quantity: product.stock };
    const both = await Promise.all([1, 2].map(() => deps.requests.send("POST", "/orders/create", body)));
    const refused = both.find(({ answer }) => answer?.status !== 201 && answer?.status !== 409);
    if (refused !== undefined) return tell(refused, "");
    if (!deps.watching())
      return { tone: "plain", text: "Two orders were placed at once for the same last unit; see the answers below." };
    const flows = await Promise.all(both.map((each) => deps.traces.until(each.traceId, isSettled, SPANS_TIMEOUT_MS)));
    const rejected = flows.find((flow) => flow?.outcome === "rejected");
    if (rejected === undefined) continue;
    show(deps, rejected);
    return {
      tone: "bad",
      text: `Two orders at once for ${product.stock} of “${product.name}”, of which there ${product.stock === 1 ? "was 1" : `were ${product.stock}`}: one was confirmed, this one was rejected, and nothing was oversold.`,
    };
  }
  throw new RunFailure("Each time one order was refused at once (409), before it was taken. Run it again.");
}

/** An admin has a product for it, with one piece; for others the product with the smallest stock has to do. */
async function findScarce(deps: RunsDeps): Promise<Product> {
  const products = await listProducts(deps);
  if (!deps.isAdmin()) {
    const scarce = products.filter(({ stock }) => stock > 0 && stock <= 1_000).toSorted((a, b) => a.stock - b.stock)[0];
    if (scarce === undefined) throw new RunFailure("No product has a stock small enough to oversell.");
    return scarce;
  }
  const own = products.find(({ name }) => name === LAST_ONE);
  if (own !== undefined && own.stock > 0) return own;
  const made =
    own === undefined
      ? await deps.requests.send("POST", "/products", {
          name: LAST_ONE,
          description: "One left, for two at once.",
          price_cents: 1_900,
          stock: 1,
        })
      : await deps.requests.send("POST", `/products/${own.id}/restock`, { quantity: 1 });
  if (!isProduct(made.answer?.json)) throw new RunFailure(tell(made, "").text);
  return made.answer.json;
}

async function listProducts({ requests }: RunsDeps): Promise<Product[]> {
  return productsOf(await requests.send("GET", "/products?limit=100"));
}

function productsOf(listed: Exchange): Product[] {
  const body = listed.answer?.json;
  if (!isRecord(body) || !Array.isArray(body.data)) throw new RunFailure(tell(listed, "").text);
  return body.data.filter(isProduct);
}

/** Waits for the real steps of a request, and plays them. */
async function present(deps: RunsDeps, done: Exchange): Promise<Flow | undefined> {
  if (done.answer === undefined || !deps.watching()) return undefined;
  const flow = await deps.traces.until(done.traceId, isSettled, SPANS_TIMEOUT_MS);
  if (flow !== undefined) show(deps, flow);
  return flow;
}

function show({ stages, still }: RunsDeps, flow: Flow): void {
  const { player } = stages.show(flow);
  if (still()) player.finish();
  else player.play();
}

const isSettled = (flow: Flow): boolean => flow.settled;

function tell({ answer, failure }: Exchange, good: string): Told {
  if (answer === undefined) return { tone: "bad", text: failure ?? "No answer came." };
  if (answer.status < 400) return { tone: "good", text: good };
  const detail = isRecord(answer.json) && typeof answer.json.detail === "string" ? answer.json.detail : "";
  return { tone: "bad", text: `${answer.status}: ${detail}` };
}

function isProduct(value: unknown): value is Product {
  return isRecord(value) && typeof value.id === "string" && typeof value.stock === "number";
}
