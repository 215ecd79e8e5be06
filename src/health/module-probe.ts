import { z } from "zod";
import { http } from "../base/common-js.ts";
import { busStatus, type EventStatus, eventPositions, light } from "./event-status.ts";

/** Looks at one module, wherever it lives, and however many of it there are. */
export interface ModuleProbe {
  readonly name: string;
  /** The configured one, also where the module shares a process and so has none of its own. */
  readonly port: number;
  readonly placement: "in-process" | "remote";
  /** Never rejects. */
  check(): Promise<ModuleHealth>;
}

export interface ModuleHealth {
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly reason?: string;
  /** Why it cannot apply events, which wait; it takes requests all the same. */
  readonly stall?: string;
  /** What its process tells of events, where that is another. */
  readonly told?: EventStatus;
  /** False when it did not answer at all. */
  readonly reachable: boolean;
  readonly latencyMs: number;
  /** Where its process listens, where that is another and there is one. */
  readonly address?: string;
  /** Each of its replicas, where there are several. */
  readonly replicas?: readonly ReplicaHealth[];
}

/** One of the processes that serve a module alike. */
export interface ReplicaHealth extends Omit<ModuleHealth, "replicas" | "told" | "address"> {
  readonly address: string;
}

/** How a module is that does not answer. */
export const SILENT = { ready: false, reason: "does not answer", reachable: false, latencyMs: 0 } as const;

export interface RemoteProbeOptions {
  readonly name: string;
  readonly port: number;
  /** Where the process of the module listens. */
  readonly url: string;
  readonly timeoutMs?: number;
  /** How long an answer counts: however often we are asked, the neighbour is asked no more often than this. */
  readonly cacheMs?: number;
}

/** Node's own agent would go through the proxy that the environment names (NODE_USE_ENV_PROXY). */
const agent = new http.Agent();

const MAX_ANSWER_BYTES = 64 * 1024;

/** What a neighbour's `/readyz` answers when it is not ready. */
const notReady = z.object({
  detail: z.string(),
  modules: z.array(z.object({ name: z.string(), reason: z.string().nullish() })).default([]),
});

/** What a neighbour's `/status` answers. */
const neighbourStatus = z.object({
  modules: z.array(z.object({ name: z.string(), status: light, detail: z.string().nullable() })),
  bus: busStatus,
  events: eventPositions,
  deployment: z.string().exactOptional(),
});

/**
 * Probes a module of this process.
 * @param fault why it cannot work now, undefined while it can
 * @param stall why it cannot apply events, undefined while it can
 */
export function createLocalProbe(
  name: string,
  port: number,
  fault: () => string | undefined,
  stall: () => string | undefined = () => undefined,
): ModuleProbe {
  return {
    name,
    port,
    placement: "in-process",
    async check() {
      const reason = fault();
      const stalled = stall();
      return {
        ready: reason === undefined,
        reachable: true,
        latencyMs: 0,
        ...(reason === undefined ? {} : { reason }),
        ...(stalled === undefined ? {} : { stall: stalled }),
      };
    },
  };
}

/**
 * Probes a module of another process by its `/readyz` and its `/status`. One look at a time, whoever asks meanwhile shares
 * it.
 */
export function createRemoteProbe(options: RemoteProbeOptions): ModuleProbe {
  const { name, port, url, timeoutMs = 1000, cacheMs = 1000 } = options;
  let last: Promise<ModuleHealth> | undefined;
  let freshUntil = 0;
  return {
    name,
    port,
    placement: "remote",
    check() {
      if (last === undefined || performance.now() >= freshUntil) {
        freshUntil = Number.POSITIVE_INFINITY;
        last = look(name, url, timeoutMs).finally(() => {
          freshUntil = performance.now() + cacheMs;
        });
      }
      return last;
    },
  };
}

async function look(name: string, url: string, timeoutMs: number): Promise<ModuleHealth> {
  const [readiness, status] = await Promise.all([askReadiness(name, url, timeoutMs), askStatus(url, timeoutMs)]);
  const health = { ...readiness, address: url };
  if (status === undefined) return health;
  const { modules, bus, events } = status;
  const own = modules.find((module) => module.name === name);
  const told = { ...health, told: { bus, events } };
  // It is ready, and yet finds itself degraded: its events do not get on.
  const stall = health.ready && own?.status === "degraded" ? own.detail : null;
  return stall === null ? told : { ...told, stall };
}

async function askReadiness(name: string, url: string, timeoutMs: number): Promise<ModuleHealth> {
  const startedAt = performance.now();
  try {
    const answer = await get("/readyz", url, timeoutMs);
    const { status, body } = answer;
    const latencyMs = performance.now() - startedAt;
    if (status === 200) return { ready: true, reachable: true, latencyMs };
    return { ready: false, reason: reasonOf(name, body) ?? `answers ${status}`, reachable: true, latencyMs };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "AbortError";
    const reason = timedOut ? `does not answer within ${timeoutMs} ms` : SILENT.reason;
    return { ...SILENT, reason, latencyMs: performance.now() - startedAt };
  }
}

/** What the process at a URL tells of itself. @returns undefined where nothing of ours answers, or something older that tells less */
export async function askStatus(url: string, timeoutMs: number): Promise<z.output<typeof neighbourStatus> | undefined> {
  try {
    const answer = await get("/status", url, timeoutMs);
    return neighbourStatus.safeParse(JSON.parse(answer.body)).data;
  } catch {
    return undefined; // readiness tells
  }
}

/** @throws Error for a redirect, an answer that is too long, or none; its name is AbortError when that took too long */
function get(
  path: string,
  url: string,
  timeoutMs: number,
): Promise<{ readonly status: number; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const request = http.get(new URL(path, url), { agent, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
    const { statusCode: status = 0 } = response;
    let body = "";
    const refuse = (why: string) => response.destroy(new Error(why));
    response.setEncoding("utf8").on("error", reject);
    response.on("data", (text: string) => {
      body += text;
      if (body.length > MAX_ANSWER_BYTES) refuse("the answer is too long");
    });
    response.on("end", () => resolve({ status, body }));
    if (status >= 300 && status < 400) refuse("a redirect");
  });
  request.on("error", reject);
  return promise;
}

function reasonOf(name: string, body: string): string | undefined {
  try {
    const { detail, modules } = notReady.parse(JSON.parse(body));
    return modules.find((module) => module.name === name)?.reason ?? detail;
  } catch {
    return undefined; // not one of ours, or a proxy in between: its status has to do
  }
}
