import { StoreRefusal } from "../../refusal.ts";
import { sql } from "../../sql.ts";
import { roleSettings } from "./connection.ts";
import type { Session } from "./sessions.ts";

/** Older ones get no more fixes. */
const OLDEST_VERSION = 14;

interface Server {
  readonly version: number;
  readonly encoding: string;
  readonly path: string;
}

/**
 * Looks whether a server can be used.
 * @throws StoreRefusal when it is too old, cannot keep all text, or has not the settings that a connection needs
 */
export async function requireServer(session: Session, schema: string): Promise<void> {
  const { rows } = await session.ask(
    sql<Server>`SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_encoding') AS encoding,
      current_setting('search_path') AS path`,
  );
  for (const { version, encoding, path } of rows) {
    if (version < OLDEST_VERSION) throw new StoreRefusal(`is in PostgreSQL ${version}, older than ${OLDEST_VERSION}`);
    if (encoding !== "UTF8") throw new StoreRefusal(`has the encoding ${encoding}; it has to be UTF8`);
    const expected = roleSettings(schema).get("search_path");
    if (path !== expected && path !== schema) {
      throw new StoreRefusal(
        `has another search_path, ${path}: where a pooler is in between, the role has its settings, ALTER ROLE … SET search_path = ${expected} and others`,
      );
    }
  }
}
