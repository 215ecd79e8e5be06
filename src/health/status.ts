import type Router from "@koa/router";
import type { Context } from "koa";
import { Problem } from "../base/problem.ts";
import type { BusStatus } from "../bus/bus.ts";
import { type Backlog, countBacklog, type EventPositions, gatherBus, mergePositions } from "./event-status.ts";
import type { ModuleHealth, ModuleProbe } from "./module-probe.ts";

export interface HealthDeps {
  /** The modules that this process answers for: all, where it is the gateway, which is one of them itself. */
  readonly probes: readonly ModuleProbe[];
  readonly busStatus: () => BusStatus;
  /** How far the modules of this process are with their events. */
  readonly events: () => Promise<EventPositions>;
  /** True while the process finishes what it has and wants no more. */
  readonly draining: () => boolean;
  /** Which modules live together, in words. */
  readonly topology: () => string;
  /** Names the deployment, undefined while that is not known. */
  readonly deployment?: () => string | undefined;
}

type Light = "running" | "degraded" | "down";

/** How a module is, or one of its replicas. */
interface Condition {
  readonly status: Light;
  readonly latency_ms: number;
  readonly detail: string | null;
}

interface Status {
  readonly topology: string;
  readonly deployment: string | undefined;
  readonly modules: readonly ({
    readonly name: string;
    readonly port: number;
    readonly placement: ModuleProbe["placement"];
    /** Where there are several. */
    readonly replicas?: readonly ({ readonly address: string } & Condition)[];
  } & Condition)[];
  readonly bus: BusStatus;
  readonly events: EventPositions;
  readonly backlog: Backlog;
}

/** Mounts `/livez`, `/readyz`, `/healthz` and `/status`. */
export function mountHealth(router: Router, deps: HealthDeps): void {
  router.use(["/livez", "/readyz", "/healthz", "/status"], (koa, next) => {
    koa.set("Cache-Control", "no-store");
    return next();
  });
  router.get(["/livez", "/healthz"], (koa) => {
    answerJson(koa, { status: "ok" });
  });
  router.get("/readyz", async (koa) => {
    await assertReady(deps);
    answerJson(koa, { status: "ok" });
  });
  router.get("/status", async (koa) => {
    answerJson(koa, await readStatus(deps));
  });
}

/** As bytes: of an object Koa asks whether it is an answer of fetch, for which Node would load all of that. */
function answerJson(koa: Context, value: object): void {
  koa.type = "application/json; charset=utf-8";
  koa.body = Buffer.from(JSON.stringify(value));
}

/**
 * Checks that this process can take requests. The bus is not asked: events wait for it, requests do not.
 * @throws Problem draining, or dependency-unavailable while a module is not ready, both with all modules told
 */
export async function assertReady(deps: HealthDeps): Promise<void> {
  const healths = await checkAll(deps.probes);
  const modules = healths.map(([{ name }, { ready, reason = null }]) => ({ name, ready, reason }));
  const waiting = modules.filter((module) => !module.ready);
  const options = { extensions: { modules }, retryAfterSeconds: 1 };
  if (deps.draining()) throw new Problem("draining", "This process is about to stop.", options);
  if (waiting.length === 0) return;
  const names = waiting.map((module) => module.name).join(", ");
  throw new Problem("dependency-unavailable", `Not ready: ${names}.`, options);
}

/** What the lights of the console show: how this process and, as far as they answer, those it looks at find things. */
export async function readStatus(deps: HealthDeps): Promise<Status> {
  const healths = await checkAll(deps.probes);
  const modules = healths.map(([{ name, port, placement }, health]) => ({
    name,
    port,
    placement,
    ...conditionOf(health),
    ...(health.replicas === undefined
      ? {}
      : { replicas: health.replicas.map((replica) => ({ address: replica.address, ...conditionOf(replica) })) }),
  }));
  const told = healths.flatMap(([{ name }, { told }]) => (told === undefined ? [] : [{ name, ...told }]));
  const bus = gatherBus(
    deps.busStatus(),
    told.map(({ name, bus }) => [name, bus]),
  );
  const events = mergePositions([await deps.events(), ...told.map(({ events }) => events)]);
  return {
    topology: deps.topology(),
    deployment: deps.deployment?.(),
    modules,
    bus,
    events,
    backlog: countBacklog(events),
  };
}

/** Where each module is: `here`, or the address of the process that serves it, of each one where there are several. */
export async function readPlacement({ probes }: HealthDeps): Promise<Readonly<Record<string, string>>> {
  const modules = (await checkAll(probes)).filter(([{ name }]) => name !== "gateway");
  return Object.fromEntries(
    modules.map(([{ name, placement }, { address = "elsewhere", replicas }]) => {
      const addresses = replicas?.map((replica) => replica.address) ?? [address];
      return [name, placement === "in-process" ? "here" : addresses.join(", ")];
    }),
  );
}

function conditionOf(health: Omit<ModuleHealth, "replicas">): Condition {
  return {
    status: lightOf(health),
    latency_ms: Math.round(health.latencyMs * 100) / 100,
    detail: health.reason ?? health.stall ?? null,
  };
}

function lightOf({ ready, reachable, stall }: Omit<ModuleHealth, "replicas">): Light {
  if (ready) return stall === undefined ? "running" : "degraded";
  return reachable ? "degraded" : "down";
}

function checkAll(probes: readonly ModuleProbe[]): Promise<[ModuleProbe, ModuleHealth][]> {
  return Promise.all(probes.map(async (probe): Promise<[ModuleProbe, ModuleHealth]> => [probe, await probe.check()]));
}
