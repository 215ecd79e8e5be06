import { StoreRefusal } from "../../refusal.ts";
import { requireMigrated } from "../../schema-state.ts";
import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";
import { INCARNATION } from "./incarnation.ts";
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
 * Opens schemas as they all are at one moment. In one database that costs nobody anything; in several nobody can write meanwhile, which
 * takes as long as it takes to begin to read.
 * @throws StoreRefusal when one is not there, cannot be read, or is not as this code needs it
 */
export async function openSchemaSnapshots(places: readonly SnapshotPlace[]): Promise<SchemaSnapshot[]> {
  const opened: SchemaSnapshot[] = [];
  const writers: StoppedWriters[] = [];
  try {
    const databases = new Map<SnapshotPlace, string>();
    for (const place of places) databases.set(place, await databaseOf(place));
    if (new Set(databases.values()).size > 1) for (const place of places) writers.push(await stopWriters(place));
    const moments = new Map<string, string>();
    for (const [place, database] of databases) opened.push(await openSnapshot(place, database, moments));
    for (const stopped of writers) await stopped.goOn();
    return opened;
  } catch (error) {
    for (const snapshot of opened) await snapshot.close();
    throw error;
  } finally {
    for (const stopped of writers) await stopped.close();
  }
}

/** Whoever would write in a schema waits. */
interface StoppedWriters {
  /** @throws StoreRefusal when one may not have waited */
  goOn(): Promise<void>;
  close(): Promise<void>;
}

/** Every unit of work begins with its witness. */
function stopWriters(place: SnapshotPlace): Promise<StoppedWriters> {
  return whileConnected(place, 1, async ([session], where, close) => {
    await session?.command("BEGIN; LOCK TABLE commit_witnesses IN EXCLUSIVE MODE");
    const goOn = async () => {
      await session?.command("ROLLBACK").catch((error: unknown) => {
        throw new StoreRefusal(`${place.name}: ${where} was written to meanwhile: try it again`, { cause: error });
      });
    };
    return { goOn, close };
  });
}

/** Names it among those of all servers. */
function databaseOf(place: SnapshotPlace): Promise<string> {
  return whileConnected(place, 1, async ([session], _where, close) => {
    const found = await session?.ask(
      sql<{ database: string }>`SELECT concat_ws(' ', ${INCARNATION.cluster}, current_database()) AS database`,
    );
    await close();
    return found?.rows[0]?.database ?? "";
  });
}

/** @param moments those of the databases of which a schema is open already */
function openSnapshot(place: SnapshotPlace, database: string, moments: Map<string, string>): Promise<SchemaSnapshot> {
  return whileConnected(place, 1, async ([session], _where, close) => {
    if (session === undefined) throw new Error("no connection was made");
    moments.set(database, await lookAt(session, moments.get(database)));
    await requireSchema(session, place.migrations, requireMigrated);
    return { ...toSnapshot(place.name, session), close };
  });
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
