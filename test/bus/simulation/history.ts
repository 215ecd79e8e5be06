import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import type { Position } from "../../../src/store/store.ts";

/** What a publisher has said, and what a subscriber has made of it. */
export interface History {
  readonly publisher: SqliteStore;
  readonly subscriber: SqliteStore;
  /** An event that can never be applied. */
  readonly isPoison: (number: number) => boolean;
  /** Events that the publisher may have numbered twice, and the subscriber applied twice. */
  readonly renumbered: ReadonlySet<number>;
}

/**
 * What the publisher has said was applied once and in order, or buried if it is poison.
 * @throws Error that says what was not
 */
export function requireAllApplied({ publisher, subscriber, isPoison, renumbered }: History): void {
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
    const once = [...new Set(found)];
    const twice = found.filter((number, index) => found.indexOf(number) < index && !renumbered.has(number));
    if (twice.length > 0) throw new Error(`${subscriber.name} ${what} ${twice} of ${name} twice: ${found}`);
    const kept = once.filter((number) => still.has(number));
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

/**
 * Rows are forgotten only where the next ones are of another epoch.
 * @throws Error when the subscriber has applied more of this epoch than the publisher has
 */
export function requireNotAhead(publisher: SqliteStore, subscriber: SqliteStore, epoch: string): void {
  const [from, by] = [publisher.name, subscriber.name];
  const reached = positionsOf(subscriber, from).find((position) => position.epoch === epoch)?.seq ?? 0;
  const newest = newestRow(publisher);
  if (reached > newest) throw new Error(`${by} has applied row ${reached} of ${from}, which has ${newest} in ${epoch}`);
}

/** The number of the newest row in its log, 0 if there is none. */
export function newestRow(store: SqliteStore | undefined): number {
  return store?.prepare<[], { seq: number | null }>("SELECT max(seq) AS seq FROM outbox").get()?.seq ?? 0;
}

/** Where it stands in a publisher's log, by epoch, the one that moved last first. */
export function positionsOf(store: SqliteStore, publisher: string): Position[] {
  return store
    .prepare<[string], Position>("SELECT epoch, seq FROM cursors WHERE publisher = ? ORDER BY id DESC")
    .all(publisher);
}
