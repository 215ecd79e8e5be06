import { MARK_TABLE, type Mark } from "../../../move/mark.ts";
import type { Answer, Session } from "../sessions.ts";

/** Whose half a schema is, undefined where it is whole. @throws as `Session.command` */
export async function readMark(session: Session): Promise<Mark | undefined> {
  const { rows } = (await session.command(`SELECT to_regclass('${MARK_TABLE}') IS NOT NULL AS found`)) as Answer<{
    found: boolean;
  }>;
  if (rows[0]?.found !== true) return undefined;
  const marks = (await session.command(`SELECT database, source FROM ${MARK_TABLE}`)) as Answer<Mark>;
  return marks.rows[0];
}

/** @throws as `Session.send` */
export async function writeMark(session: Session, { database, source }: Mark): Promise<void> {
  await session.command("BEGIN");
  await session.command(`CREATE TABLE ${MARK_TABLE} (database TEXT NOT NULL, source TEXT NOT NULL)`);
  await session.send({ text: `INSERT INTO ${MARK_TABLE} VALUES ($1, $2)`, values: [database, source] });
  await session.command("COMMIT");
}
