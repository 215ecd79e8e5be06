import { type Presence, presence } from "../../telemetry/presence.ts";

/** A process that has not answered for so long is not shown. */
const FORGOTTEN_AFTER_MS = 10_000;

/** The processes of the system, as they answer roll calls. */
export interface Fleet {
  /** @param message anything: what is not an answer is ignored. Returns whether who serves what has changed. */
  take(message: unknown): boolean;
  /** Service → the process that serves it. */
  processes(): Record<string, string>;
}

/** @param now milliseconds of a clock that only goes forward */
export function createFleet(now: () => number = () => performance.now()): Fleet {
  const answers = new Map<string, { readonly presence: Presence; readonly atMs: number }>();

  function present(): Presence[] {
    for (const [process, { atMs }] of answers) {
      if (now() - atMs > FORGOTTEN_AFTER_MS) answers.delete(process);
    }
    return Array.from(answers.values(), (answer) => answer.presence);
  }

  const processes = () =>
    Object.fromEntries(present().flatMap(({ process, services }) => services.map((service) => [service, process])));

  return {
    take(message) {
      const { data: answer } = presence.safeParse(message);
      if (answer === undefined) return false;
      const before = processes();
      // The newest answer last: it wins where an old process is gone and not yet forgotten.
      answers.delete(answer.process);
      answers.set(answer.process, { presence: answer, atMs: now() });
      return answer.services.some((service) => before[service] !== answer.process);
    },
    processes,
  };
}
