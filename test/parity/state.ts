import { type Row, readState as readAll, type Tables } from "../support/databases.ts";
import type { Shop, Topology } from "../support/topology.ts";
import type { Entry, Transcript } from "./transcript.ts";

type State = Readonly<Record<string, Tables>>;

/** What was seen of a run, and what is left of it: each is compared with the same of another run. */
export interface Views {
  /** All. */
  readonly entries: readonly Entry[];
  /** What is the same whatever engines keep the data. */
  readonly common: readonly Entry[];
  /** What is the same however often the databases were opened. */
  readonly lasting: readonly Entry[];
}

/** What has to be the same on this topology. */
export function viewOf({ usesPostgres = false, opensAgain = false }: Topology): keyof Views {
  if (usesPostgres) return "common";
  return opensAgain ? "lasting" : "entries";
}

/** Ends a transcript with what is left. */
export function withState(transcript: Transcript, state: State): Views {
  const end = (left: State, named?: ReadonlySet<string>) => {
    const whole = transcript.fork();
    whole.state("what is left", left, named);
    return whole.entries;
  };
  return { entries: end(state), common: end(commonState(state), BY_NAME), lasting: end(lastingState(state)) };
}

/**
 * The databases of a shop. Without what a clock decides and no call: when a log was looked at
 * for rows that nobody needs any more.
 */
export async function readState(shop: Shop): Promise<Record<string, Tables>> {
  const state = Object.entries(await readAll(await shop.look()));
  return Object.fromEntries(state.map(([module, { prune_window: _looks, ...tables }]) => [module, tables]));
}

/** What only one engine keeps, for itself. */
const OF_ONE_ENGINE =
  /^(headroom|products_search.*|schema_versions|oldest_code|outbox_arrivals|outbox_head|leases|commit_witnesses|decisions)$/;

/** What only one engine numbers or derives, or what numbers have gaps in one of them. */
const COLUMNS_OF_ONE_ENGINE: Readonly<Record<string, readonly string[]>> = {
  products: ["number", "words"],
  answers: ["id"],
  signing_keys: ["rowid"],
  sessions: ["rowid"],
  refresh_tokens: ["rowid"],
  failed_attempts: ["lane"],
};

/** Where several units of work write at once, the ids of what they write are not in the order of the log. */
const BY_NAME: ReadonlySet<string> = new Set(["orders", "stock_ledger", "refusals"]);

/** What both engines keep of a state, alike. */
function commonState(state: State): Record<string, Tables> {
  const common = (tables: Tables): Tables => {
    const shared = Object.entries(tables).filter(([table]) => !OF_ONE_ENGINE.test(table));
    return Object.fromEntries(
      shared.map(([table, rows]) => [table, inOrder(table, rows).map((row) => without(row, table))]),
    );
  };
  return Object.fromEntries(Object.entries(state).map(([module, tables]) => [module, common(tables)]));
}

/** A lane that fails again moves to the end in one of them. */
function inOrder(table: string, rows: readonly Row[]): readonly Row[] {
  return table === "failed_attempts" ? rows.toSorted((one, other) => Number(one.count) - Number(other.count)) : rows;
}

function without(row: Row, table: string): Row {
  const columns = COLUMNS_OF_ONE_ENGINE[table] ?? [];
  return Object.fromEntries(Object.entries(row).filter(([column]) => !columns.includes(column)));
}

/** Each opening begins an epoch of the log, in which subscribers have a cursor of their own: the newest one counts. */
function lastingState(state: State): Record<string, Tables> {
  const lasting = ({ outbox = [], cursors = [], ...tables }: Tables): Tables => ({
    ...tables,
    cursors: newest(cursors).map(({ id: _id, epoch: _epoch, ...row }) => row),
    outbox: outbox.map(({ epoch: _epoch, previous_epoch: previous, ...row }, at) => ({
      ...row,
      follows: previous === (outbox[at - 1]?.epoch ?? ""),
    })),
  });
  return Object.fromEntries(Object.entries(state).map(([module, tables]) => [module, lasting(tables)]));
}

function newest(cursors: readonly Row[]): readonly Row[] {
  return [...new Map(cursors.map((row) => [row.publisher, row])).values()];
}
