import { escapeIdentifier } from "pg";
import { requireNoMark } from "../../../move/mark.ts";
import type { Source } from "../../../move/tables.ts";
import { StoreRefusal } from "../../../refusal.ts";
import { requireNewest } from "../../../schema-state.ts";
import { sql } from "../../../sql.ts";
import { requireSchema } from "../schema/migrations.ts";
import { untilNobodyServes } from "../schema/served-by.ts";
import { numberAndRead } from "../sequencer.ts";
import type { Session } from "../sessions.ts";
import { readCatalogue } from "./catalogue.ts";
import { type MovedPlace, whileConnected } from "./held.ts";
import { readMark } from "./mark.ts";
import { PATIENT, schemaTables } from "./schema-tables.ts";

const IN_USE = "is in use; stop its processes first";

/** lock_not_available */
const LOCKED = "55P03";

/** Newer than all rows. */
const AFTER_ALL = Number.MAX_SAFE_INTEGER;

/**
 * Opens a module's schema to move its tables elsewhere. Nobody can write to them until it is closed; all that is changed is that events
 * which wait for their numbers get them.
 * @param migrations the folder of the module's `NNNN-*.sql` files for PostgreSQL
 * @throws StoreRefusal when it is not there, is in use, or has not this code's tables
 */
export function openSchemaSource(options: MovedPlace, migrations: URL): Promise<Source> {
  const { name, pooled = false } = options;
  return whileConnected(options, 1, async ([session], place, close) => {
    if (session === undefined) throw new Error("no connection was made");
    await requireSchema(session, migrations, requireNewest);
    requireNoMark(await readMark(session));
    // A pooler's connections are its own, whoever uses them.
    if (!pooled && (await untilNobodyServes(session, name)) !== undefined) throw new StoreRefusal(IN_USE);
    const catalogue = await readCatalogue(session);
    await session.command(`BEGIN; ${PATIENT}`);
    await lockAll(
      session,
      catalogue.tables.map((table) => table.name),
    );
    while ((await numberAndRead(session, AFTER_ALL)).isPartial);
    await session.ask(TELL_CURSORS_APART);
    const { rows } = await session.ask(
      sql<{ module: string; database: string }>`SELECT module, database FROM identity`,
    );
    const [identity] = rows;
    if (identity?.module !== name) throw new StoreRefusal(`is not a database of ${name}`);
    const tables = schemaTables({ name, place, session, catalogue, inTransaction: true });
    const commit = async () => void (await session.command("COMMIT").catch(() => undefined));
    return { ...tables, database: identity.database, close: () => commit().then(close) };
  });
}

/** Two that moved at the same moment may have one id, which SQLite does not bear. */
const TELL_CURSORS_APART = sql`UPDATE cursors SET id = placed.id
  FROM (SELECT publisher, epoch, row_number() OVER (ORDER BY id, publisher, epoch) AS id FROM cursors) AS placed
  WHERE cursors.publisher = placed.publisher AND cursors.epoch = placed.epoch
    AND EXISTS (SELECT FROM cursors GROUP BY id HAVING count(*) > 1)`;

async function lockAll(session: Session, tables: readonly string[]): Promise<void> {
  try {
    await session.command(`LOCK TABLE ${tables.map(escapeIdentifier).join(", ")} IN EXCLUSIVE MODE NOWAIT`);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === LOCKED)
      throw new StoreRefusal(IN_USE, { cause: error });
    throw error;
  }
}
