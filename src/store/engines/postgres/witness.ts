import { sql } from "../../sql.ts";
import { NoConnection } from "./postgres-fault.ts";
import type { Session, Sessions } from "./sessions.ts";

/** Older than any connection that is still used. */
const FORGET_AFTER = "1 day";

/** Names a unit of work, in whatever became of it. */
export interface Witness {
  readonly connection: string;
  readonly unit: number;
}

/**
 * Begins a transaction that leaves its number in its connection's row. That row tells what became of it when the connection breaks in
 * the COMMIT, also after a crash or a failover, and where it waits for the row, the transaction has ended.
 * @returns settles once that is so, which must be before the COMMIT is sent
 * @throws NoConnection when the row is gone; as `Session.ask`
 */
export async function beginUnit(session: Session): Promise<Witness> {
  const { connection } = session;
  const { id } = connection;
  const isNew = connection.units === 0;
  connection.units += 1;
  const witness = { connection: id, unit: connection.units };
  const made = isNew ? session.ask(sql`INSERT INTO commit_witnesses (id, unit) VALUES (${id}, 0)`) : undefined;
  const begun = session.command("BEGIN");
  const left = session.ask(sql`UPDATE commit_witnesses SET unit = ${witness.unit} WHERE id = ${id}`);
  try {
    const [{ rowCount }] = await Promise.all([left, made, begun]);
    if (rowCount === 1) return witness;
    throw new NoConnection(`the row of connection ${id} is gone`);
  } catch (error) {
    if (isNew || error instanceof NoConnection) session.isBroken = true; // it may have no row
    throw error;
  }
}

/**
 * Asks by another connection whether a unit of work was committed whose COMMIT nobody answered; waits for it to end if it has not.
 * @throws as `Session.ask`, after the time for which a statement waits for a lock too
 */
export function wasCommitted(sessions: Sessions, { connection, unit }: Witness): Promise<boolean> {
  return sessions.use(async (session) => {
    const { rows } = await session.ask(
      sql<{ unit: number }>`SELECT unit FROM commit_witnesses WHERE id = ${connection} FOR UPDATE`,
    );
    return (rows[0]?.unit ?? 0) >= unit;
  });
}

/** Deletes the rows of connections that are long gone. */
export async function forgetWitnesses(session: Session): Promise<void> {
  await session.ask(sql`DELETE FROM commit_witnesses WHERE opened_at < now() - ${FORGET_AFTER}::interval`);
}
