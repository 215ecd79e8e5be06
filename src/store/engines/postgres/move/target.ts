import { escapeIdentifier } from "pg";
import { MARK_TABLE } from "../../../move/mark.ts";
import type { Target } from "../../../move/tables.ts";
import { StoreRefusal } from "../../../refusal.ts";
import { type Query, sql } from "../../../sql.ts";
import { migrate } from "../schema/migrations.ts";
import type { Session } from "../sessions.ts";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { type MovedPlace, whileConnected } from "./held.ts";
import { readMark, writeMark } from "./mark.ts";
import { insertInto, lastKeyOf, PATIENT, schemaTables } from "./schema-tables.ts";

export interface SchemaTargetOptions {
  /** The folder of the module's `NNNN-*.sql` files for PostgreSQL. */
  readonly migrations: URL;
  /** Fill the tables that SQLite does not have, from those that it has. */
  readonly fills: readonly Query[];
}

/**
 * Opens a schema to move a module's tables into it, and makes it where there is none.
 * @throws StoreRefusal when it cannot be used, is another module's, or somebody else moves to it
 */
export function openSchemaTarget(place: MovedPlace, { migrations, fills }: SchemaTargetOptions): Promise<Target> {
  const { name, schema = name } = place;
  return whileConnected(place, 2, async ([session, guard], told, close) => {
    if (session === undefined || guard === undefined) throw new Error("no connection was made");
    await requireAlone(guard, schema);
    await migrate(session, { name, schema, migrations });
    const catalogue = await readCatalogue(session);
    const tables = schemaTables({ name, place: told, session, catalogue, inTransaction: false });
    return {
      ...tables,
      mark: () => readMark(session),
      async begin(mark) {
        await requireUnused(session, name, told);
        await writeMark(session, mark);
      },
      lastKey: (table) => lastKeyOf(session, catalogue, table),
      async write(table, rows) {
        const values = table.columns.map((_, at) => rows.map((row) => row[at] ?? null));
        await session.send({ text: insertInto(table, catalogue), values });
      },
      async clear(tables) {
        await session.command(`TRUNCATE ${tables.map((table) => escapeIdentifier(table.name)).join(", ")}`);
      },
      finish: () => finish(session, catalogue, fills),
      close,
    };
  });
}

/** Its rows may be gone, but their epoch would be that of the next ones too: who has applied them would pass those over. */
async function requireUnused(session: Session, name: string, place: string): Promise<void> {
  const { rows } = await session.ask(sql<{ seq: number }>`SELECT seq FROM outbox_head`);
  if (rows[0]?.seq === 0) return;
  throw new StoreRefusal(`${name}: ${place} was used before, though it is empty now: drop the schema, to begin anew`);
}

/** Whoever moves has a lock that ends with its connection. */
async function requireAlone(guard: Session, schema: string): Promise<void> {
  await guard.command(`BEGIN; ${PATIENT}`);
  const { rows } = await guard.ask(
    sql<{
      alone: boolean;
    }>`SELECT pg_try_advisory_xact_lock(hashtextextended(${`quartet move ${schema}`}, 0)) AS alone`,
  );
  if (rows[0]?.alone !== true) throw new StoreRefusal("is being moved to by another process");
}

async function finish(session: Session, { tables, numbered }: Catalogue, fills: readonly Query[]): Promise<void> {
  await session.command("BEGIN");
  try {
    await session.ask(sql`UPDATE outbox_head SET seq = newest.seq, epoch = newest.epoch
      FROM (SELECT seq, epoch FROM outbox ORDER BY seq DESC LIMIT 1) AS newest`);
    for (const { table, column } of numbered) {
      const [of, name] = [escapeIdentifier(table), escapeIdentifier(column)];
      await session.send({
        text: `SELECT setval(pg_get_serial_sequence($1, $2), coalesce(max(${name}), 0) + 1, false) FROM ${of}`,
        values: [of, column],
      });
    }
    for (const fill of fills) await session.ask(fill);
    await session.command(`DROP TABLE ${MARK_TABLE}`);
    await session.command("COMMIT");
  } catch (error) {
    await session.command("ROLLBACK").catch(() => undefined);
    throw error;
  }
  await session.command(`ANALYZE ${tables.map((table) => escapeIdentifier(table.name)).join(", ")}`);
}
