import { setTimeout as sleep } from "node:timers/promises";
import { StoreRefusal } from "../../../refusal.ts";
import { describeVersions, mayUse, type SchemaState, type Versions } from "../../../schema-state.ts";
import { sql } from "../../../sql.ts";
import { applicationOf } from "../connection.ts";
import type { Session } from "../sessions.ts";

/** How long to wait for processes that are about to end. */
const WAIT_MS = 5_000;
const TRY_EVERY_MS = 100;

/**
 * Waits until nobody serves a module's schema any more whom this is about. A pooler's connections are its own, whoever uses them.
 * @param isInTheWay given the versions that somebody's code knows, 0 where it does not say; by default everybody is
 * @returns those of one who has not ended within five seconds
 * @throws as `Session.ask`
 */
export async function untilNobodyServes(
  session: Session,
  name: string,
  isInTheWay: (known: Versions) => boolean = () => true,
): Promise<Versions | undefined> {
  for (const endMs = performance.now() + WAIT_MS; ; await sleep(TRY_EVERY_MS)) {
    const found = (await servedBy(session, name)).find(isInTheWay);
    if (found === undefined || performance.now() > endMs) return found;
  }
}

/** @throws StoreRefusal when it is served by code that could not use it as it is to be; as `Session.ask` */
export async function requireNoOlderCode(session: Session, name: string, to: SchemaState): Promise<void> {
  const older = await untilNobodyServes(session, name, (known) => !mayUse(known, to));
  if (older === undefined) return;
  const [whose, least, newest] = [older, to.oldestCode, to.versions].map(describeVersions);
  throw new StoreRefusal(
    `is served by a process that knows version ${whose}, and ${newest} takes ${least} at least: stop it first, or go by a version in between`,
  );
}

async function servedBy(session: Session, name: string): Promise<Versions[]> {
  await session.ask(sql`SELECT pg_stat_clear_snapshot()`); // or a transaction would see no change
  const { rows } = await session.ask(
    sql<{ application: string }>`SELECT application_name AS application FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  const own = new RegExp(`^${applicationOf(name)}(?: (\\d+)\\.(\\d+))?$`);
  return rows.flatMap(({ application }) => {
    const found = own.exec(application);
    return found === null ? [] : { store: Number(found[1] ?? 0), module: Number(found[2] ?? 0) };
  });
}
