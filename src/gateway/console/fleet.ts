import { type Presence, presence } from "../../telemetry/presence.ts";

/** A process that has not answered for so long is not shown. */
const FORGOTTEN_AFTER_MS = 10_000;

/** The processes of the system, as they answer roll calls. */
export interface Fleet {
  /** @param message anything: what is not an answer is ignored. Returns whether who serves what has changed. */
  take(message: unknown): boolean;
  /** Service → the process that serves it. */
  processes(): Record<string, string>;
  /** Events that are not yet applied: subscriber → publisher → count. */
  backlog(): Record<string, Record<string, number>>;
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
    backlog() {
      const all = present();
      const published = Object.assign({}, ...all.map((each) => each.published)) as Record<string, number>;
      const applied = Object.assign({}, ...all.map((each) => each.applied)) as Presence["applied"];
      const behind = (publisher: string, reached: number) => Math.max(0, (published[publisher] ?? 0) - reached);
      return mapValues(applied, (publishers) =>
        mapValues(publishers, (reached, publisher) => behind(publisher, reached)),
      );
    },
  };
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
