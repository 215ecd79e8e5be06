import { randomUUID } from "node:crypto";
import { createDeletionClock } from "../../../base/deletion-clock.ts";
import { createSettledClock } from "../../../base/settled-clock.ts";
import { KeptAnswers, NEWEST_ANSWER } from "../../answers.ts";
import { continueIds } from "../../continue-ids.ts";
import { createCursors } from "../../cursors.ts";
import { requireNoMark } from "../../move/mark.ts";
import { reasonOf, StoreRefusal } from "../../refusal.ts";
import { newestOf } from "../../schema-state.ts";
import { sql } from "../../sql.ts";
import type { Position, Store } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";
import { ANSWER_TIMEOUT_MS, applicationOf, connectionConfig, describePlace } from "./connection.ts";
import { PostgresEventLog } from "./event-log.ts";
import { Health } from "./health.ts";
import { INCARNATION } from "./incarnation.ts";
import { Leases } from "./leases.ts";
import { readMark } from "./move/mark.ts";
import type { OpenPostgresStoreOptions } from "./options.ts";
import { despiteConflicts } from "./postgres-fault.ts";
import { Reads } from "./reads.ts";
import { migrate, readSchema } from "./schema/migrations.ts";
import { watchSchema } from "./schema/watch.ts";
import { requireServer } from "./server.ts";
import { type Session, Sessions } from "./sessions.ts";
import { Statements } from "./statements.ts";
import { Units } from "./units.ts";
import { forgetWitnesses } from "./witness.ts";

/** Connections for units of work and reads. */
const CONNECTIONS = 8;

/** Connections on which no unit of work waits: one for the log, one for what became of others' COMMITs. */
const OWN_CONNECTIONS = 2;

/** How soon whoever waits for what another process may change looks again. */
const LOOK_AGAIN_MS = 400;

/** What that means for whoever reads that rows of a log are gone. */
const FORGOTTEN =
  "Its server has forgotten what it had committed, as a standby has that lagged and took over, or a restore; `npm run reconcile` says what of it others know";

/** What is read of a schema when it is opened. */
interface Opened {
  readonly seat: string;
  readonly database: string;
  readonly head: Position;
  readonly newestAnswerMs: number;
}

/** How a store reaches its server, and what has to end with it. */
interface Reach {
  readonly sessions: Sessions;
  /** Those on which no unit of work waits. */
  readonly ownSessions: Sessions;
  stopWatching(): void;
}

/**
 * Opens a module's schema in PostgreSQL, checked and migrated.
 * @throws StoreRefusal when the server cannot be reached or used, or the schema cannot be migrated or is of newer code that left this
 *   one behind
 */
export async function openPostgresStore(options: OpenPostgresStoreOptions): Promise<Store> {
  const { name, schema = name } = options;
  const known = readSchema(options.migrations);
  const connection = connectionConfig(name, options, schema);
  const config = { ...connection, application_name: applicationOf(name, newestOf(known)) };
  const place = describePlace(config, schema);
  const statements = new Statements(options.pooled === true);
  const opening = new Sessions({ config, statements, most: 1 });
  try {
    const opened = await opening.use(async (session) => {
      await requireServer(session, schema);
      requireNoMark(await readMark(session));
      const migrated = await migrate(session, { ...options, schema });
      options.onOpened?.({ place, ...migrated });
      return despiteConflicts(() => look(session, name));
    });
    const impatient = { config: { ...config, query_timeout: ANSWER_TIMEOUT_MS }, statements };
    const sessions = new Sessions({ ...impatient, most: options.connections ?? CONNECTIONS });
    const ownSessions = new Sessions({ ...impatient, most: OWN_CONNECTIONS });
    const tell = (told: string) => options.onLeftBehind?.(`${name}: ${place} ${told}`);
    const stopWatching = watchSchema(ownSessions, known, tell);
    const onForgotten = (told: string) => options.onForgotten?.(`${name}: the log in ${place} ${told}. ${FORGOTTEN}`);
    const store = createStore({ ...options, onForgotten }, opened, { sessions, ownSessions, stopWatching });
    await continueIds(store, sql`dead_letters`).catch(async (error: unknown) => {
      await store.close();
      throw error;
    });
    return store;
  } catch (error) {
    if (error instanceof StoreRefusal)
      throw new StoreRefusal(`${name}: ${place} ${error.message}`, { cause: error.cause });
    throw new StoreRefusal(`${name}: ${place} cannot be opened: ${reasonOf(error)}`, { cause: error });
  } finally {
    await opening.close();
  }
}

async function look(session: Session, name: string): Promise<Opened> {
  await forgetWitnesses(session);
  await session.ask(
    sql`INSERT INTO identity (id, module, database) VALUES (1, ${name}, ${randomUUID()}) ON CONFLICT DO NOTHING`,
  );
  const { rows } = await session.ask(
    sql<Pick<Opened, "seat" | "database"> & Position>`SELECT database, seq, epoch,
      concat_ws(':', ${INCARNATION.cluster}, ${INCARNATION.table}) AS seat
      FROM identity, outbox_head`,
  );
  const newest = await session.ask(NEWEST_ANSWER);
  const [found] = rows;
  if (found === undefined) throw new StoreRefusal("has lost rows that it always has");
  const { seat, database, seq, epoch } = found;
  return { seat, database, head: { seq, epoch }, newestAnswerMs: newest.rows[0]?.keptAtMs ?? 0 };
}

/** By a lock that ends with the transaction, and needs no row that may not be there yet. */
function* takeCursors(unit: Unit, publisher: string): Work<void> {
  yield* unit.get(sql`SELECT pg_advisory_xact_lock('cursors'::regclass::oid::int, hashtext(${publisher}))`);
}

function createStore(
  options: OpenPostgresStoreOptions,
  { seat, database, head, newestAnswerMs }: Opened,
  { sessions, ownSessions, stopWatching }: Reach,
): Store {
  const { name, now = Date.now, onForgotten = () => {} } = options;
  const { monotonicMs = options.now ?? (() => performance.now()) } = options;
  const settledNow = createSettledClock(now, monotonicMs);
  const health = new Health();
  const reads = new Reads({ name, sessions, health });
  const read: Store["read"] = (work) => reads.read(work);
  const write: Store["write"] = (work) => units.write(work);
  const deletionNow = createDeletionClock(settledNow, monotonicMs, newestAnswerMs);
  const answers = new KeptAnswers({ read, write, settledNow, deletionNow });
  const units = new Units({
    name,
    now,
    sessions,
    ownSessions,
    health,
    keepAnswer: (unit, claim, answer, person) => answers.keep(unit, claim, answer, person),
    forgetAnswers: (unit, person) => answers.forget(unit, person),
    onAppended: () => log.appended(),
  });
  const onLook = (error?: unknown) => {
    if (error !== undefined) health.failed(error);
    // That it can be asked does not prove that it can write.
    else if (health.fault !== undefined) write(function* () {}).catch(() => undefined);
  };
  const log = new PostgresEventLog({ sessions: ownSessions, head, onLook, onForgotten, read, write, settledNow });
  const leases = new Leases({ read, write });
  const close = async () => {
    stopWatching();
    await leases.end();
    await units.close();
    await log.close();
    reads.close();
    await Promise.all([sessions.close(), ownSessions.close()]);
  };
  let closed: Promise<void> | undefined;
  const closeOnce = () => {
    closed ??= close();
    return closed;
  };
  return {
    name,
    seat,
    database,
    read,
    write,
    log,
    cursors: createCursors({ read, write, now, take: takeCursors }),
    answers,
    lease: leases.hold,
    lookAgainMs: LOOK_AGAIN_MS,
    // What is deleted goes from the server's files when it vacuums them, and from its own log when that is used again.
    overwriteDeleted() {},
    emptyLog: async () => true,
    fillUp: undefined,
    boundLog: async () => {},
    fault: () => health.fault,
    stats: () => units.stats(),
    close: closeOnce,
    crash: closeOnce,
  };
}
