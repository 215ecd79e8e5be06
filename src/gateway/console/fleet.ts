import { type Presence, presence } from "../../telemetry/presence.ts";

/** A process that has not answered for so long is not shown. */
const FORGOTTEN_AFTER_MS = 10_000;

/** Whoever has answered within this time is there: one answer may be lost. Two that are, and serve the same, are replicas. */
const THERE_MS = 5_000;

/** The processes of the system, as they answer roll calls. */
export interface Fleet {
  /** @param message anything: what is not an answer is ignored. Returns whether who serves what has changed. */
  take(message: unknown): boolean;
  /** Service → the process that serves it. */
  processes(): Record<string, string>;
  /** Module → what keeps its data. */
  engines(): Record<string, string>;
}

/** @param now milliseconds of a clock that only goes forward */
export function createFleet(now: () => number = () => performance.now()): Fleet {
  const answers = new Map<string, { readonly presence: Presence; readonly atMs: number }>();

  function forget(): void {
    for (const [process, { atMs }] of answers) {
      if (now() - atMs > FORGOTTEN_AFTER_MS) answers.delete(process);
    }
  }

  /** Of those that serve the same, the one that was there first, as long as it is there. */
  function processes(): Record<string, string> {
    forget();
    const newestLast = Array.from(answers.values()).sort((one, other) => one.atMs - other.atMs);
    const there = Array.from(answers.values()).filter(({ atMs }) => now() - atMs < THERE_MS);
    return Object.fromEntries(
      [...newestLast, ...there.reverse()].flatMap(({ presence: { process, services } }) =>
        services.map((service) => [service, process]),
      ),
    );
  }

  return {
    take(message) {
      const { data: answer } = presence.safeParse(message);
      if (answer === undefined) return false;
      const before = processes();
      answers.set(answer.process, { presence: answer, atMs: now() });
      const after = processes();
      return answer.services.some((service) => before[service] !== after[service]);
    },
    processes,
    engines() {
      forget();
      return Object.assign({}, ...Array.from(answers.values(), ({ presence: { engines } }) => engines));
    },
  };
}
