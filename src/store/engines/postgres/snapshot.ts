import { requireMigrated } from "../../schema-state.ts";
import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";
import { type MovedPlace, whileConnected } from "./move/held.ts";
import { PostgresReading } from "./postgres-unit.ts";
import { requireSchema } from "./schema/migrations.ts";
import type { Session } from "./sessions.ts";

/** A module's schema as it was at one moment, read from outside, also while its process writes on. */
export interface SchemaSnapshot {
  readonly name: string;
  readonly read: Store["read"];
  /** The events that had no number yet. */
  arrivals(): Promise<string[]>;
  close(): Promise<void>;
}

export interface SnapshotPlace extends MovedPlace {
  /** The folder of the module's `NNNN-*.sql` files for PostgreSQL. */
  readonly migrations: URL;
}

/**
 * Opens schemas as they all are at one moment.
 * @throws StoreRefusal when one is not there, cannot be read, is not as this code needs it, or in another database than the first
 */
export async function openSchemaSnapshots(places: readonly SnapshotPlace[]): Promise<SchemaSnapshot[]> {
  const opened: SchemaSnapshot[] = [];
  let moment: string | undefined;
  try {
    for (const place of places) {
      const snapshot = await whileConnected(place, 1, async ([session], _place, close) => {
        if (session === undefined) throw new Error("no connection was made");
        moment = await lookAt(session, moment);
        await requireSchema(session, place.migrations, requireMigrated);
        return { ...toSnapshot(place.name, session), close };
      });
      opened.push(snapshot);
    }
    return opened;
  } catch (error) {
    for (const snapshot of opened) await snapshot.close();
    throw error;
  }
}

/** Sees from now on what there was at that moment, else what there is now. @returns the moment, for others of this database */
async function lookAt(session: Session, moment: string | undefined): Promise<string> {
  await session.command(
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0",
  );
  if (moment !== undefined) {
    await session.command(`SET TRANSACTION SNAPSHOT '${moment}'`);
    return moment;
  }
  const { rows } = await session.ask(sql<{ moment: string }>`SELECT pg_export_snapshot() AS moment`);
  return rows[0]?.moment ?? "";
}

function toSnapshot(name: string, session: Session): Omit<SchemaSnapshot, "close"> {
  return {
    name,
    read: (work) => new PostgresReading().runToEnd(work, (query) => session.send(session.write(query))),
    async arrivals() {
      const { rows } = await session.ask(sql<{ event: string }>`SELECT event FROM outbox_arrivals ORDER BY id`);
      return rows.map(({ event }) => event);
    },
  };
}
