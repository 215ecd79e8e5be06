import { escapeIdentifier } from "pg";
import type { Cell, Cells, Table, Tables } from "../../../move/tables.ts";
import { PostgresReading } from "../postgres-unit.ts";
import type { Answer, Session } from "../sessions.ts";
import type { Catalogue } from "./catalogue.ts";

/** Rows at a time. */
const BATCH = 1_000;

/** A transaction that waits for the other side may wait for long. */
export const PATIENT = "SET LOCAL idle_in_transaction_session_timeout = 0";

export interface SchemaTablesOptions {
  readonly name: string;
  readonly place: string;
  readonly session: Session;
  readonly catalogue: Catalogue;
  /** Whether it is in a transaction all the time. */
  readonly inTransaction: boolean;
}

/** The tables of a schema, by a connection of one's own. */
export function schemaTables(options: SchemaTablesOptions): Omit<Tables, "close"> {
  const { name, place, session, catalogue, inTransaction } = options;
  let cursors = 0;
  return {
    name,
    place,
    tables: catalogue.tables,
    async *rows(table, after) {
      const cursor = `rows_${++cursors}`;
      if (!inTransaction) await session.command(`BEGIN READ ONLY; ${PATIENT}`);
      try {
        await session.send({
          text: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${select(table, catalogue, after)}`,
          values: [...(after ?? [])],
        });
        for (;;) {
          const { rows } = (await session.command(`FETCH ${BATCH} FROM ${cursor}`)) as Answer<Record<string, Cell>>;
          if (rows.length > 0) yield rows.map((row) => table.columns.map((column) => row[column] ?? null));
          if (rows.length < BATCH) return;
        }
      } finally {
        await session.command(inTransaction ? `CLOSE ${cursor}` : "ROLLBACK").catch(() => undefined);
      }
    },
    read: (work) => new PostgresReading().runToEnd(work, (query) => session.send(session.write(query))),
  };
}

/** The greatest key. */
export async function lastKeyOf(session: Session, catalogue: Catalogue, table: Table): Promise<Cells | undefined> {
  const descending = table.key.map((column) => `${ordered(table, column, catalogue)} DESC`).join(", ");
  const { rows } = (await session.command(
    `SELECT ${list(table.key)} FROM ${escapeIdentifier(table.name)} ORDER BY ${descending} LIMIT 1`,
  )) as Answer<Record<string, Cell>>;
  return rows.map((row) => table.key.map((column) => row[column] ?? null))[0];
}

/** A statement that adds rows to a table, given the cells of each column as texts. */
export function insertInto({ name, columns }: Table, { typeOf }: Catalogue): string {
  const casts = columns.map((column, at) => `c${at}::${typeOf(name, column)}`);
  const given = columns.map((_, at) => `$${at + 1}::text[]`);
  const names = columns.map((_, at) => `c${at}`);
  return `INSERT INTO ${escapeIdentifier(name)} (${list(columns)})
    SELECT ${casts.join(", ")} FROM unnest(${given.join(", ")}) AS given (${names.join(", ")})`;
}

function select(table: Table, catalogue: Catalogue, after: Cells | undefined): string {
  const key = table.key.map((column) => ordered(table, column, catalogue)).join(", ");
  const given = table.key.map((column, at) => `$${at + 1}::${catalogue.typeOf(table.name, column)}`);
  const where = after === undefined ? "" : `WHERE (${key}) > (${given.join(", ")})`;
  return `SELECT ${list(table.columns)} FROM ${escapeIdentifier(table.name)} ${where} ORDER BY ${key}`;
}

/** Text by its bytes, whatever the order of its column is. */
function ordered({ name }: Table, column: string, { typeOf }: Catalogue): string {
  return `${escapeIdentifier(column)}${typeOf(name, column) === "text" ? ' COLLATE "C"' : ""}`;
}

function list(columns: readonly string[]): string {
  return columns.map(escapeIdentifier).join(", ");
}
