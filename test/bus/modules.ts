import { setTimeout as sleep } from "node:timers/promises";
import pino from "pino";
import type { Subscription } from "../../src/bus/subscription.ts";
import { type OpenStoreOptions, openStore, type SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../src/store/sql.ts";
import type { Store } from "../../src/store/store.ts";
import type { Unit, Work } from "../../src/store/unit.ts";

export const silent = pino({ level: "silent" });

/** Opens the store of a module that publishes numbers and remembers which numbers of others it has applied. */
export function openModule(name: string, folder: string, options: Partial<OpenStoreOptions> = {}): SqliteStore {
  const migrations = new URL("./migrations/", import.meta.url);
  return openStore({ name, file: `${folder}/${name}.db`, migrations, ...options });
}

/** Publishes numbers, each in a write of its own, with one round of writes. */
export async function publish(store: Store, numbers: readonly number[], type = "number.said"): Promise<void> {
  await Promise.all(
    numbers.map((number) =>
      store.write(function* (unit) {
        yield* unit.append({ type, subject: String(number), data: { number, from: store.name } });
      }),
    ),
  );
}

/** Remembers every number of a publisher; `before` may throw for poison, or answer with events of its own. */
export function remember(
  publisher: string,
  before: (number: number, unit: Unit) => Work<void> | undefined = () => undefined,
): Subscription {
  return {
    publisher,
    *apply(unit, { data }) {
      const { number } = data as { number: number };
      const first = before(number, unit);
      if (first !== undefined) yield* first;
      yield* unit.run(sql`INSERT INTO applied (publisher, number) VALUES (${publisher}, ${number})`);
    },
  };
}

/** How many numbers of a publisher a module has applied: all that is asked while one waits, since lists grow long. */
export function countApplied(store: SqliteStore, publisher: string): number {
  const sql = "SELECT count(*) AS count FROM applied WHERE publisher = ?";
  return store.prepare<[string], { count: number }>(sql).get(publisher)?.count ?? 0;
}

/** The numbers of a publisher that a module has applied, in the order it did. */
export function applied(store: SqliteStore, publisher: string): number[] {
  const sql = "SELECT number FROM applied WHERE publisher = ? ORDER BY id";
  return store
    .prepare<[string], { number: number }>(sql)
    .all(publisher)
    .map(({ number }) => number);
}

/** `from`, `from + 1`, … `to`. */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Waits until something holds. @throws Error when it does not within some seconds */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await holds()); await sleep(5)) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
  }
}
