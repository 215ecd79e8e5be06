import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";

/** What a publisher has said, and what a subscriber has made of it. */
export interface History {
  readonly publisher: SqliteStore;
  readonly subscriber: SqliteStore;
  /** An event that can never be applied. */
  readonly isPoison: (number: number) => boolean;
}

/**
 * What the publisher has said was applied once and in order, or buried if it is poison.
 * @throws Error that says what was not
 */
export function requireAllApplied({ publisher, subscriber, isPoison }: History): void {
  const { name } = publisher;
  const said = numbers(publisher, "SELECT number FROM said WHERE '' <> ? ORDER BY id", name);
  const applied = numbers(subscriber, "SELECT number FROM applied WHERE publisher = ? ORDER BY id", name);
  const buried = numbers(
    subscriber,
    "SELECT event ->> '$.data.number' AS number FROM dead_letters WHERE publisher = ? ORDER BY id",
    name,
  );
  const still = new Set(said);
  const expect = (what: string, found: readonly number[], expected: readonly number[]) => {
    if (new Set(found).size < found.length)
      throw new Error(`${subscriber.name} ${what} events of ${name} twice: ${found}`);
    const kept = found.filter((number) => still.has(number));
    if (kept.join() !== expected.join()) {
      throw new Error(`${subscriber.name} ${what} of ${name}: ${kept}\ninstead of ${expected}`);
    }
  };
  expect(
    "applied",
    applied,
    said.filter((number) => !isPoison(number)),
  );
  expect("buried", buried, said.filter(isPoison));
}

function numbers(store: SqliteStore, sql: string, publisher: string): number[] {
  return store
    .prepare<[string], { number: number }>(sql)
    .all(publisher)
    .map(({ number }) => number);
}
