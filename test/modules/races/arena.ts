import { Client, types } from "pg";
import type { Store } from "../../../src/store/store.ts";
import type { PostgresServer } from "../../support/postgres.ts";
import { Party, type Standing } from "./party.ts";

/** What two pieces of work have come to, and what is in the tables then. */
export interface Outcome {
  readonly first: unknown;
  readonly second: unknown;
  readonly tables: unknown;
}

export type Racer = (store: Store) => Promise<unknown>;

/** A database in which two race, again and again, from the same beginning. */
export interface Arena {
  /** Whether there is a table that both read or write. */
  haveCommonTables(one: Racer, other: Racer): Promise<boolean>;
  /** Runs one after the other. */
  oneByOne(first: Racer, second: Racer): Promise<Outcome>;
  /**
   * Runs both at once: the first makes so many steps, then the second so many, or until it waits for a lock; then the first goes
   * on to its end, and then the second.
   * @param seconds undefined for all
   * @returns undefined where the first has not so many steps
   */
  interleaved(first: Racer, second: Racer, firsts: number, seconds?: number): Promise<Interleaved | undefined>;
  close(): Promise<void>;
}

export interface Interleaved extends Outcome {
  /** Whether the second has ended, or waits, before it has made so many steps. */
  readonly isLast: boolean;
  /** How often the server had to undo one of them. */
  readonly undone: number;
}

/** All work of the test is done at this moment. */
export const NOW_MS = Date.parse("2026-01-01T00:00:00.000Z");

/**
 * Makes a database with tables, and what is in them at the beginning of each race.
 * @param schema statements that make the tables
 */
export async function openArena(server: PostgresServer, schema: string, fill: Racer): Promise<Arena> {
  const url = await server.createDatabase();
  const clients = [0, 1, 2].map(() => new Client({ connectionString: url, types: { getTypeParser: parserOf } }));
  const [one, other, judge] = clients as [Client, Client, Client];
  for (const client of clients) await client.connect();
  await judge.query(schema);
  const party = async (client: Client) => {
    const { pid } = (await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")).rows[0] ?? {};
    const isBlocked = async () =>
      (await judge.query("SELECT 1 WHERE cardinality(pg_blocking_pids($1)) > 0", [pid])).rowCount === 1;
    return new Party(client, isBlocked, NOW_MS);
  };
  const parties = { first: await party(one), second: await party(other) };
  await alone(parties.first, fill);
  const tables = await tablesOf(judge);
  for (const table of tables) await judge.query(`CREATE TABLE kept_${table} AS TABLE ${table}`);
  const empty = tables.toReversed().map((table) => `DELETE FROM ${table};`);
  const refill = tables.map((table) => `INSERT INTO ${table} SELECT * FROM kept_${table};`);
  const reset = [...empty, ...refill].join("\n");
  const dump = `SELECT ${tables.map((table) => `(SELECT jsonb_agg(to_jsonb(t) - 'rowid' ORDER BY (to_jsonb(t) - 'rowid')::text) FROM ${table} t) AS ${table}`).join(", ")}`;
  const outcome = async (): Promise<Outcome> => ({
    first: anonymous(await parties.first.outcome()),
    second: anonymous(await parties.second.outcome()),
    tables: anonymous((await judge.query(dump)).rows[0]),
  });

  const arena: Arena = {
    async haveCommonTables(one, other) {
      const [{ touched: own }, { touched: others }] = [parties.first, parties.second];
      own.clear();
      others.clear();
      await arena.oneByOne(one, other);
      return !own.isDisjointFrom(others);
    },
    async oneByOne(first, second) {
      await judge.query(reset);
      await alone(parties.first, first);
      await alone(parties.second, second);
      return outcome();
    },
    async interleaved(first, second, firsts, seconds = Number.POSITIVE_INFINITY) {
      await judge.query(reset);
      const before = parties.first.undone + parties.second.undone;
      await parties.first.begin(first);
      let made = 0;
      for (let standing: Standing = "ready"; made < firsts && standing === "ready"; made += 1) {
        standing = await parties.first.goOn();
        if (standing === "ended") return undefined;
      }
      await parties.second.begin(second);
      let standing: Standing = "ready";
      for (let count = 0; count < seconds && standing === "ready"; count += 1) standing = await parties.second.goOn();
      const isLast = standing !== "ready";
      await toEnds(parties);
      const undone = parties.first.undone + parties.second.undone - before;
      return { ...(await outcome()), isLast, undone };
    },
    async close() {
      for (const client of clients) await client.end();
    },
  };
  return arena;
}

async function alone(party: Party, work: Racer): Promise<void> {
  await party.begin(work);
  while ((await party.goOn()) !== "ended");
}

/** The first goes on until it has ended, and whenever it waits for a lock the second does. */
async function toEnds({ first, second }: { readonly first: Party; readonly second: Party }): Promise<void> {
  for (let ends = 0; ends < 2; ) {
    ends = 0;
    for (const party of [first, second]) {
      let standing = await party.settled();
      while (standing === "ready") standing = await party.goOn();
      if (standing === "ended") ends += 1;
    }
  }
}

/** In an order in which each refers to those before it. */
async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY oid",
  );
  return rows.map(({ name }) => name);
}

/** What is drawn at random has no name. */
function anonymous(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return JSON.parse(
    JSON.stringify(value).replace(/"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f-]{16}"/g, '"?"'),
  );
}

function parserOf(oid: number, format?: "text" | "binary"): (value: string) => unknown {
  return oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as "text");
}
