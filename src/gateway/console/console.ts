import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import type Router from "@koa/router";
import type { Context } from "koa";
import { Problem } from "../../base/problem.ts";
import type { Bus } from "../../bus/bus.ts";
import type { GatheredControls } from "../../control/gathered-controls.ts";
import { type HealthDeps, readPlacement, readStatus } from "../../health/status.ts";
import { readBody } from "../../http/body.ts";
import type { AnsweredRequest } from "../../http/request-stats.ts";
import type { VerifyToken } from "../../identity/access.ts";
import { GATES_TOPIC, gateTold } from "../../telemetry/gates.ts";
import { PRESENCE_TOPIC, ROLL_CALL_TOPIC } from "../../telemetry/presence.ts";
import { SPANS_TOPIC } from "../../telemetry/span-record.ts";
import { type ConsoleAccess, createConsoleAccess } from "./access.ts";
import { createConsoleControls } from "./controls.ts";
import { openEventStream } from "./event-stream.ts";
import { createFleet } from "./fleet.ts";
import { createPulses } from "./pulses.ts";
import { createSpanCollector } from "./span-collector.ts";
import { createSpanRing, type SpanRing } from "./span-ring.ts";
import { createTraceSampler, type TraceSampler } from "./trace-sampler.ts";
import { createWatchers } from "./watchers.ts";

const MAX_TRACES = 200;
const DEFAULT_TRACES = 50;

export interface ConsoleDeps {
  readonly bus: Pick<Bus, "broadcast" | "onBroadcast">;
  readonly health: HealthDeps;
  readonly verify: VerifyToken;
  /** Signs the demo admin in; left out where one click must not be enough. */
  readonly signIn?: ((koa: Context) => Promise<Record<string, unknown>>) | undefined;
  readonly version: string;
  readonly environment: string;
  /** Whether traces go to somebody else as well. */
  readonly exporting: boolean;
  /** Whether this path template is one of the API's operations. */
  readonly isOperation: (route: string) => boolean;
  /** What can be done on purpose to the running shop; left out where that must not be. */
  readonly controls?: GatheredControls | undefined;
  /** The folder that holds the Dockerfile and docker-compose.yml. */
  readonly root: string;
}

/** What the page at `/` is fed by: `docs/console-stream.md`. */
export interface Console extends Pick<TraceSampler, "disregardFlag" | "beginRequest"> {
  mount(router: Router): void;
  /** Whether this page's trickle of orders sent it, which no limit is to stop where one click is enough to try things out. */
  isTrickle(koa: Context): boolean;
  /** Told of every request that the gateway has answered. */
  count(answered: AnsweredRequest): void;
  /** Ends all streams. */
  close(): void;
}

export function createConsole(deps: ConsoleDeps): Console {
  const { bus, health, verify } = deps;
  const startedAt = new Date().toISOString();
  const ring = createSpanRing();
  const collector = createSpanCollector(ring);
  const fleet = createFleet();
  const sampler = createTraceSampler(deps.exporting);
  const access = createConsoleAccess(verify, deps.signIn !== undefined);
  const askAround = () => bus.broadcast(ROLL_CALL_TOPIC, {});
  const look = () => Promise.all([readStatus(health), readPlacement(health)]);
  const watchers = createWatchers({
    askAround,
    async readStatus() {
      const [status, placement] = await look();
      return {
        ...status,
        // One that has moved listens elsewhere than the settings say.
        modules: status.modules.map((module) => ({ ...module, port: portAt(placement[module.name]) ?? module.port })),
        processes: fleet.processes(),
        engines: fleet.engines(),
      };
    },
  });
  const pulses = createPulses({
    look: async () => {
      const [{ events, modules }, placement] = await look();
      return { events, placement, down: modules.filter(({ status }) => status === "down").map(({ name }) => name) };
    },
    isOfShop: deps.isOperation,
    onPulse: (pulse) => watchers.send("pulse", pulse),
  });
  const controls =
    deps.controls &&
    createConsoleControls({
      controls: deps.controls,
      access,
      onChanged: (message) => watchers.send("controls", message),
    });
  const streaming = { ring, epoch: randomBytes(6).toString("hex"), lost: collector.lost };
  const stopListening = [
    bus.onBroadcast(SPANS_TOPIC, (message) => {
      collector.take(message);
      watchers.pump();
    }),
    bus.onBroadcast(PRESENCE_TOPIC, (message) => {
      if (fleet.take(message)) void watchers.tell();
    }),
    bus.onBroadcast(GATES_TOPIC, (message) => {
      const { data: gate } = gateTold.safeParse(message);
      if (gate === undefined || !watchers.any) return;
      watchers.send("gate", gate);
      if (!gate.closed) askAround(); // a module may be with another process
    }),
  ];

  async function stream(koa: Context): Promise<void> {
    const token = await access.admitReader(koa);
    if (health.draining()) throw new Problem("draining", "This process is stopping."); // a stream would hold it up
    if (koa.res.closed) return; // nobody would ever say that he has left
    if (watchers.full) throw new Problem("overloaded", "Too many consoles are open.", { retryAfterSeconds: 5 });
    koa.respond = false;
    koa.status = 200;
    koa.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
    if (koa.method === "HEAD") {
      koa.res.end();
      return;
    }
    const hello = { version: deps.version, topology: health.topology, started_at: startedAt, sampling: true };
    const events = openEventStream(koa.res, streaming, hello, koa.get("Last-Event-ID"));
    const leave = watchers.add(events, async () => token === null || access.isStillGood(token));
    const stopWatching = [sampler.watch(), pulses.watch(), ...(controls === undefined ? [] : [controls.watch()])];
    events.send("pulses", { pulses: pulses.recent() });
    koa.res.once("close", () => {
      leave();
      for (const stop of stopWatching) stop();
    });
  }

  return {
    disregardFlag: sampler.disregardFlag,
    beginRequest: sampler.beginRequest,
    isTrickle: (koa) => koa.headers["console-trickle"] === "on" && access.allowsOneClick(koa),
    count: pulses.count,
    mount(router) {
      router.use("/console", (koa, next) => {
        koa.set("Cache-Control", "no-store");
        return next();
      });
      router.get("/console/stream", stream);
      router.get("/console/traces", (koa) => readTraces(koa, access, ring));
      router.get("/console/info", (koa) => readInfo(koa, access, deps, startedAt));
      router.post("/console/sign-in", (koa) => signIn(koa, access, deps));
      controls?.mount(router);
    },
    close() {
      watchers.close();
      pulses.close();
      controls?.close();
      for (const off of stopListening) off();
    },
  };
}

async function readTraces(koa: Context, access: ConsoleAccess, ring: SpanRing): Promise<void> {
  await access.admitReader(koa);
  const { limit = String(DEFAULT_TRACES) } = koa.query;
  const count = typeof limit === "string" && /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MAX_TRACES) {
    const detail = `must be a whole number from 1 to ${MAX_TRACES}`;
    const errors = [{ in: "query", pointer: "/limit", detail }] as const;
    throw new Problem("validation-failed", "The request has members that are not valid.", { errors });
  }
  koa.body = { data: ring.traces(count) };
}

async function readInfo(koa: Context, access: ConsoleAccess, deps: ConsoleDeps, startedAt: string): Promise<void> {
  await access.admitReader(koa);
  const { version, environment, health, root } = deps;
  const [dockerfile, compose] = await Promise.all([textOf(`${root}/Dockerfile`), textOf(`${root}/docker-compose.yml`)]);
  koa.body = {
    version,
    node: process.version,
    topology: health.topology,
    bus: health.busStatus(),
    started_at: startedAt,
    environment,
    one_click: access.allowsOneClick(koa),
    docker: { dockerfile, compose },
  };
}

async function signIn(koa: Context, access: ConsoleAccess, deps: ConsoleDeps): Promise<void> {
  if (deps.signIn === undefined) throw new Problem("not-found", "There is no signing in with one click here.");
  if (!access.allowsOneClick(koa)) throw new Problem("forbidden", "One click signs in on this machine only.");
  if ((await readBody(koa.req, { limitBytes: 0, expected: false })) !== undefined) {
    const errors = [{ in: "body", pointer: "", detail: "no body is expected here" }] as const;
    throw new Problem("validation-failed", "The request has members that are not valid.", { errors });
  }
  koa.body = await deps.signIn(koa);
}

/** The text of a file that may not be there. */
function textOf(path: string): Promise<string | null> {
  return readFile(path, "utf8").catch(() => null);
}

/** @param address where a module listens, in a URL if it is alone there */
function portAt(address: string | undefined): number | undefined {
  const url = address === undefined ? null : URL.parse(address);
  return url === null || url.port === "" ? undefined : Number(url.port);
}
