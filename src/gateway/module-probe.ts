import { z } from "zod";

/** Looks at one module, wherever it lives. */
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
  /** False when it did not answer at all. */
  readonly reachable: boolean;
  readonly latencyMs: number;
}

export interface RemoteProbeOptions {
  readonly name: string;
  readonly port: number;
  /** Where the process of the module listens. */
  readonly url: string;
  readonly timeoutMs?: number;
  /** How long an answer counts: however often we are asked, the neighbour is asked no more often than this. */
  readonly cacheMs?: number;
}

const MAX_ANSWER_BYTES = 64 * 1024;

/** What a neighbour's `/readyz` answers when it is not ready. */
const notReady = z.object({
  detail: z.string(),
  modules: z.array(z.object({ name: z.string(), reason: z.string().nullish() })).default([]),
});

/**
 * Probes a module of this process.
 * @param fault why it cannot work now, undefined while it can
 */
export function createLocalProbe(name: string, port: number, fault: () => string | undefined): ModuleProbe {
  return {
    name,
    port,
    placement: "in-process",
    async check() {
      const reason = fault();
      const health = { ready: reason === undefined, reachable: true, latencyMs: 0 };
      return reason === undefined ? health : { ...health, reason };
    },
  };
}

/** Probes a module of another process by its `/readyz`. One request at a time, whoever asks meanwhile shares it. */
export function createRemoteProbe(options: RemoteProbeOptions): ModuleProbe {
  const { name, port, url, timeoutMs = 1000, cacheMs = 1000 } = options;
  const target = new URL("/readyz", url);
  let last: Promise<ModuleHealth> | undefined;
  let freshUntil = 0;
  return {
    name,
    port,
    placement: "remote",
    check() {
      if (last === undefined || performance.now() >= freshUntil) {
        freshUntil = Number.POSITIVE_INFINITY;
        last = ask(name, target, timeoutMs).finally(() => {
          freshUntil = performance.now() + cacheMs;
        });
      }
      return last;
    },
  };
}

async function ask(name: string, target: URL, timeoutMs: number): Promise<ModuleHealth> {
  const { default: fetch } = await import("node-fetch"); // late, for it would slow the start of every process
  const startedAt = performance.now();
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(target, { signal, redirect: "error", size: MAX_ANSWER_BYTES });
    const body = await answer.text();
    const latencyMs = performance.now() - startedAt;
    if (answer.ok) return { ready: true, reachable: true, latencyMs };
    return { ready: false, reason: reasonOf(name, body) ?? `answers ${answer.status}`, reachable: true, latencyMs };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === "AbortError";
    const reason = timedOut ? `does not answer within ${timeoutMs} ms` : "does not answer";
    return { ready: false, reason, reachable: false, latencyMs: performance.now() - startedAt };
  }
}

function reasonOf(name: string, body: string): string | undefined {
  try {
    const { detail, modules } = notReady.parse(JSON.parse(body));
    return modules.find((module) => module.name === name)?.reason ?? detail;
  } catch {
    return undefined; // not one of ours, or a proxy in between: its status has to do
  }
}
