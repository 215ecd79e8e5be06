import { type Cell, createCell } from "../model/cell.ts";
import { newUser, SOMEBODY } from "../model/endpoint.ts";
import type { Flow } from "../model/flow.ts";
import type { FlowName } from "../model/plan.ts";
import { newUnique } from "../model/traceparent.ts";
import { flowOfExchange } from "./outside-view.ts";
import type { Exchange, Requests } from "./requests.ts";
import { findPlentiful, findScarce, NotListed } from "./run-products.ts";
import type { Session, Sessions } from "./session.ts";
import type { Stages } from "./stage.ts";
import { type Told, tellExchange } from "./told.ts";
import type { Traces } from "./traces.ts";

export type RunName = "registration" | "order" | "oversold";

export interface Runs {
  readonly running: Cell<RunName | undefined>;
  /** What came of the last run. */
  readonly outcome: Cell<RunOutcome | undefined>;
  start(name: RunName): Promise<void>;
  /** Puts on the stage what became of a request that failed, wherever it was sent from. */
  explain(done: Exchange): Promise<void>;
  /** Takes back what was said of a failure: all runs again. */
  forgetHealed(): void;
}

export interface RunOutcome extends Told {
  readonly run: RunName;
}

export interface RunsDeps {
  readonly requests: Requests;
  readonly traces: Traces;
  readonly stages: Stages;
  readonly sessions: Sessions;
  /** True where one click signs in the demo admin; asked for where it is not known yet. */
  oneClick(): Promise<boolean>;
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

/** A sentence stays at least as long as it takes to read it, and to hear by the status that something is wrong. */
const READING_MS = 4_000;

/** Performs the real requests of the two flows and puts what came of them on the stage. */
export function createRuns(deps: RunsDeps): Runs {
  const running = createCell<RunName | undefined>(undefined);
  const outcome = createCell<RunOutcome | undefined>(undefined);
  let toldAtMs = 0;
  const perform = { order: runOrder, oversold: runOversold };

  return {
    running,
    outcome,
    async start(name) {
      if (running.get() !== undefined) return;
      running.set(name);
      outcome.set(undefined);
      try {
        const told = name === "registration" ? await runRegistration(deps) : await asSomeone(deps, perform[name]);
        toldAtMs = performance.now();
        outcome.set({ run: name, ...told });
      } finally {
        running.set(undefined);
      }
    },
    async explain(done) {
      if (hasBroken(done)) await present(deps, done, undefined);
    },
    forgetHealed() {
      const isRead = performance.now() - toldAtMs > READING_MS;
      if (outcome.get()?.heals === true && isRead) outcome.set(undefined);
    },
  };
}

/** True for a request that something failed, not the one who asked. */
function hasBroken({ answer }: Exchange): boolean {
  return answer === undefined || answer.status >= 500;
}

/** An order needs someone who places it: who is signed in, else the demo admin where one click is enough. */
async function asSomeone(deps: RunsDeps, perform: (deps: RunsDeps, who: Session) => Promise<Told>): Promise<Told> {
  const { sessions } = deps;
  if (sessions.session.get() === undefined && (await deps.oneClick())) await sessions.signInWithOneClick();
  const who = sessions.session.get();
  if (who === undefined) return (await deps.oneClick()) ? showWhyNobody(deps) : NOBODY;
  try {
    return await perform(deps, who);
  } catch (error) {
    if (!(error instanceof NotListed)) throw error;
    if (error.exchange !== undefined) await present(deps, error.exchange, "order");
    return error.exchange === undefined ? { tone: "bad", text: error.message } : tellExchange(error.exchange, "");
  }
}

const NOBODY: Told = {
  tone: "bad",
  text: "Sign in first, or run the registration: an order needs someone who places it.",
};

/** Signing in by one click leaves no trace that could be drawn. The demo customer's login does, and fails for the same reason. */
async function showWhyNobody(deps: RunsDeps): Promise<Told> {
  const done = await deps.requests.send("POST", "/users/login", SOMEBODY);
  await present(deps, done, "order");
  return tellExchange(done, "Run it again: signing in works again.");
}

async function runRegistration(deps: RunsDeps): Promise<Told> {
  const done = await deps.requests.send("POST", "/users/register", newUser(newUnique()));
  const user = done.answer?.status === 201 ? deps.sessions.adopt(done.answer.json) : undefined;
  await present(deps, done, "registration");
  return tellExchange(done, `Registered, and signed in: ${user?.name} (${user?.email}) orders from now on.`);
}

async function runOrder(deps: RunsDeps, who: Session): Promise<Told> {
  const product = await findPlentiful(deps);
  const done = await deps.requests.send("POST", "/orders/create", { product_id: product.id, quantity: 1 });
  const flow = await present(deps, done, "order");
  if (flow?.outcome === "rejected")
    return {
      tone: "proud",
      text: `The order for “${product.name}” was rejected: nothing was left, and the stock never went below zero.`,
    };
  const stock = flow?.outcome === "confirmed" ? " Nobody waited while the stock was lowered." : "";
  return tellExchange(done, `${who.name} ordered “${product.name}”: ${flow?.outcome ?? "pending"}.${stock}`);
}

/** Two orders at the same moment for more than there is: one is confirmed, one is taken and then rejected by its event. */
async function runOversold(deps: RunsDeps, who: Session): Promise<Told> {
  let refused: Exchange | undefined;
  for (let attempt = 0; attempt < OVERSOLD_ATTEMPTS; attempt += 1) {
    const product = await findScarce(deps);
    const body = { product_id: product.id, quantity: product.stock };
    const both = await Promise.all([1, 2].map(() => deps.requests.send("POST", "/orders/create", body, who)));
    const failed = both.find(({ answer }) => answer?.status !== 201 && answer?.status !== 409);
    if (failed !== undefined) {
      await present(deps, failed, "order");
      return tellExchange(failed, "");
    }
    refused = both.find(({ answer }) => answer?.status === 409) ?? refused;
    if (!deps.watching())
      return { tone: "plain", text: "Two orders were placed at once for the same last unit; see the answers below." };
    const flows = await Promise.all(both.map((each) => deps.traces.until(each.traceId, isSettled, SPANS_TIMEOUT_MS)));
    const rejected = flows.find((flow) => flow?.outcome === "rejected");
    if (rejected === undefined) continue;
    show(deps, rejected, "order");
    const were = product.stock === 1 ? "was 1" : `were ${product.stock}`;
    return {
      tone: "proud",
      text: `Two orders at once for ${product.stock} of “${product.name}”, of which there ${were}: one was confirmed, this one was rejected, and nothing was oversold.`,
    };
  }
  if (refused === undefined) return { tone: "plain", text: "Neither order has been decided yet." };
  await present(deps, refused, "order");
  return tellExchange(refused, "");
}

/**
 * Waits for the real steps of a request, and plays them. Where none come, a failure is shown as the page saw it.
 * @param where the stage to show it on; left out, it is the one where it belongs
 */
async function present(deps: RunsDeps, done: Exchange, where: FlowName | undefined): Promise<Flow | undefined> {
  const told =
    done.answer !== undefined && deps.watching()
      ? await deps.traces.until(done.traceId, isSettled, SPANS_TIMEOUT_MS)
      : undefined;
  const failed = done.answer === undefined || done.answer.status >= 400;
  const flow = told ?? (failed ? flowOfExchange(done) : undefined);
  if (flow !== undefined) show(deps, flow, where);
  return flow;
}

function show({ stages, still }: RunsDeps, flow: Flow, where: FlowName | undefined): void {
  const { player } = stages.show(flow, where);
  if (still()) player.finish();
  else player.play();
}

const isSettled = (flow: Flow): boolean => flow.settled;
