import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import type { Engines } from "../model/places.ts";
import { readSpans } from "../model/span.ts";
import type { Status } from "../model/topology.ts";
import { type Controls, createControls } from "./controls.ts";
import { createDeadLetters, type DeadLetters } from "./dead-letters.ts";
import { createGates, type Gates } from "./gates.ts";
import { createKnowledge, type Knowledge } from "./known.ts";
import { createOrders, type Orders } from "./orders.ts";
import { createPulses, type Pulses } from "./pulses.ts";
import { createRequests, type Requests } from "./requests.ts";
import { createRuns, type Runs } from "./runs.ts";
import { createSessions, type Session, type Sessions } from "./session.ts";
import { createStages, type Stages } from "./stage.ts";
import { createStatusBoard } from "./status-board.ts";
import { createStatusPoll } from "./status-poll.ts";
import { createStream, type Stream } from "./stream.ts";
import { createTraces, type Traces } from "./traces.ts";

/** What the gateway says of itself once. */
export interface Info {
  readonly version: string;
  readonly node: string;
  readonly environment: string;
  readonly startedAtMs: number;
  readonly oneClick: boolean;
  readonly dockerfile: string | null;
  readonly compose: string | null;
}

/** Everything the page shows and does, without a line of how it looks. */
export interface App {
  readonly info: Cell<Info | undefined>;
  readonly status: Cell<Status | undefined>;
  /** Every process that has been seen, so that one that is down keeps its frame. */
  readonly processes: Cell<NonNullable<Status["processes"]>>;
  /** What keeps each module's data, as far as that has been told. */
  readonly engines: Cell<Engines>;
  /** What asking each service took of late, in milliseconds; the gateway is asked by this page. */
  readonly latencies: Cell<Readonly<Record<string, number>>>;
  /** Spans lost on their way since the gateway started. */
  readonly dropped: Cell<number>;
  readonly stream: Stream;
  readonly pulses: Pulses;
  readonly gates: Gates;
  readonly traces: Traces;
  readonly stages: Stages;
  readonly sessions: Sessions;
  readonly requests: Requests;
  readonly known: Knowledge;
  readonly runs: Runs;
  readonly orders: Orders;
  readonly controls: Controls;
  readonly deadLetters: DeadLetters;
  /** Whether one click signs in as the demo admin; asks where that is not known yet. */
  oneClick(): Promise<boolean>;
  start(): void;
}

export interface AppDeps {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** True where the person wants nothing to move. */
  still(): boolean;
}

export function createApp({ fetch, still }: AppDeps): App {
  const info = createCell<Info | undefined>(undefined);
  const dropped = createCell(0);
  const traces: Traces = createTraces((traceId) => stages.isShown(traceId));
  const stages = createStages(traces);
  const sessions = createSessions(fetch);
  const requests = createRequests({ fetch, sessions });
  const known = createKnowledge(requests, sessions);
  const pulses = createPulses(() => orders.queue.waiting);
  const gates = createGates();

  const asked = async (path: string, init: RequestInit = {}): Promise<Response> => {
    // A customer's token opens nothing here, so the admin goes on watching; where one click is enough, none is needed.
    const admin = sessions.admin.get();
    const token = admin && (await sessions.tokenOf(admin));
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return fetch(path, { ...init, headers: { ...init.headers, ...authorization } });
  };
  const read = async (path: string): Promise<unknown> => {
    const response = await asked(path).catch(() => undefined);
    return response?.ok ? parseJson(await response.text()) : undefined;
  };
  const readInfo = async (): Promise<void> => info.set(toInfo(await read("/console/info")) ?? info.get());

  const catchUp = async (): Promise<void> => {
    await Promise.all([readInfo(), read("/console/traces?limit=100").then((body) => traces.add(spansOf(body)))]);
  };

  const board = createStatusBoard({
    onHealthy: () => runs.forgetHealed(),
    onHealed() {
      void known.start();
      void deadLetters.refresh();
    },
  });

  const controls = createControls(asked);

  /** What is done with each event of the stream. */
  const takers: Readonly<Partial<Record<string, (data: Readonly<Record<string, unknown>>) => void>>> = {
    hello: ({ resumed }) => resumed !== true && void catchUp(),
    spans: (data) => traces.add(readSpans(data.spans)),
    status: board.take,
    pulse: pulses.take,
    pulses: pulses.take,
    gate: gates.take,
    controls: controls.take,
  };
  const receive = (event: string, data: unknown): void => {
    if (!isRecord(data)) return;
    if (typeof data.dropped === "number") dropped.set(data.dropped);
    takers[event]?.(data);
  };

  const stream = createStream({ fetch: asked, onMessage: receive });
  const oneClick = async (): Promise<boolean> => {
    if (info.get() === undefined) await readInfo();
    return info.get()?.oneClick === true;
  };
  const runs = createRuns({
    requests,
    traces,
    stages,
    still,
    sessions,
    oneClick,
    knownProductId: () => known.productId,
    watching: () => stream.state.get() !== "denied",
  });
  const orders: Orders = createOrders({ requests, sessions, oneClick, knownProducts: () => known.products });
  const deadLetters = createDeadLetters(requests, sessions.admin.get);
  const poll = createStatusPoll({
    fetch,
    isNeeded: () => stream.state.get() !== "live",
    onStatus: board.take,
    onLatency: (ms) => board.tellLatency("gateway", ms),
  });

  const reopen = async (admin: Session): Promise<void> => {
    if (await sessions.renew(admin)) stream.open();
  };

  return {
    info,
    ...board,
    dropped,
    stream,
    pulses,
    gates,
    traces,
    stages,
    sessions,
    requests,
    known,
    runs,
    orders,
    controls,
    deadLetters,
    oneClick,
    start() {
      sessions.admin.watch(() => {
        // Who has paused stays so; what the gateway tells this person of itself is asked for all the same.
        if (stream.state.get() === "paused") void readInfo();
        else stream.open();
        void deadLetters.refresh();
      });
      stream.state.watch(() => {
        // A token that is refused: without it, the page may still read where one click is allowed.
        const admin = sessions.admin.get();
        if (stream.state.get() === "denied" && admin !== undefined) void reopen(admin);
      });
      stream.open();
      poll.start();
      void readInfo();
      void known.start();
    },
  };
}

function toInfo(body: unknown): Info | undefined {
  if (!isRecord(body) || !isRecord(body.docker)) return undefined;
  const { dockerfile, compose } = body.docker;
  return {
    version: String(body.version),
    node: String(body.node),
    environment: String(body.environment),
    startedAtMs: Date.parse(String(body.started_at)),
    oneClick: body.one_click === true,
    dockerfile: typeof dockerfile === "string" ? dockerfile : null,
    compose: typeof compose === "string" ? compose : null,
  };
}

function spansOf(body: unknown) {
  if (!isRecord(body) || !Array.isArray(body.data)) return [];
  return body.data.flatMap((trace: unknown) => (isRecord(trace) ? readSpans(trace.spans) : []));
}
