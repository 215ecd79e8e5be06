import { MARK_TABLE } from "../../../move/mark.ts";
import { referredFirst } from "../../../move/referred-first.ts";
import type { Table } from "../../../move/tables.ts";
import { sql } from "../../../sql.ts";
import type { Session } from "../sessions.ts";

interface Column {
  readonly name: string;
  readonly type: string;
  /** Whether the server numbers it. */
  readonly isNumbered: boolean;
}

interface Row {
  readonly name: string;
  readonly columns: readonly Column[];
  readonly key: readonly string[];
  readonly refersTo: readonly string[];
}

const TABLES = sql<Row>`SELECT relname AS name,
    (SELECT json_agg(json_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'isNumbered', attidentity <> '') ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = tables.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    (SELECT coalesce(json_agg(attname ORDER BY n), '[]') FROM pg_index
      CROSS JOIN unnest(indkey::int2[]) WITH ORDINALITY AS parts (number, n)
      JOIN pg_attribute ON attrelid = indrelid AND attnum = parts.number
      WHERE indrelid = tables.oid AND indisprimary) AS key,
    (SELECT coalesce(json_agg(referred.relname), '[]') FROM pg_constraint JOIN pg_class AS referred ON referred.oid = confrelid
      WHERE conrelid = tables.oid AND contype = 'f') AS "refersTo"
  FROM pg_class AS tables WHERE relkind = 'r' AND relname <> ${MARK_TABLE} AND relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY relname`;

/** The tables of a schema but that of the mark, those that others refer to first. */
export interface Catalogue {
  readonly tables: readonly Table[];
  /** The type of a column, as SQL writes it. */
  typeOf(table: string, column: string): string;
  /** The columns that the server numbers. */
  readonly numbered: readonly { readonly table: string; readonly column: string }[];
}

/** @throws as `Session.ask` */
export async function readCatalogue(session: Session): Promise<Catalogue> {
  const { rows } = await session.ask(TABLES);
  const byName = new Map(rows.map((row) => [row.name, row]));
  const sorted = referredFirst(rows, ({ refersTo }) => refersTo);
  return {
    tables: sorted.map(({ name, columns, key }) => ({ name, key, columns: columns.map(({ name }) => name) })),
    typeOf: (table, column) => byName.get(table)?.columns.find(({ name }) => name === column)?.type ?? "text",
    numbered: rows.flatMap(({ name: table, columns }) =>
      columns.filter(({ isNumbered }) => isNumbered).map(({ name: column }) => ({ table, column })),
    ),
  };
}
