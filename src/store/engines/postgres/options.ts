import type { ConnectionOptions } from "node:tls";
import type { Opening } from "../../schema-state.ts";

/** Where a module's schema is, and as whom it is used. */
export interface PostgresPlace {
  /** `postgres://role@host:port/database`; parameters such as `sslmode` as the driver knows them. */
  readonly url: string;
  /** Asked for at each connection, in place of the URL's: who changes it need not start anew. */
  readonly password?: () => Promise<string>;
  /** Whom each connection acts as, in place of the URL's role: `role` among the settings of its startup packet. Not behind a pooler. */
  readonly role?: string;
  /** How TLS is used, in place of what the URL says. */
  readonly tls?: ConnectionOptions;
  /** The module's schema, by default of its name; made if absent, where the role may. */
  readonly schema?: string;
  /**
   * Whether a pooler is in between that gives each transaction another connection, such as PgBouncer's transaction mode. Then
   * statements are not prepared, and the role itself must have the settings of `roleSettings`, since the pooler would lose those of a
   * connection.
   */
  readonly pooled?: boolean;
  /** The most connections that units of work and reads have at once, by default 8; two more are the log's own. */
  readonly connections?: number;
}

export interface OpenPostgresStoreOptions extends PostgresPlace {
  /** The module's name. */
  readonly name: string;
  /** The folder of the module's `NNNN-*.sql` files for PostgreSQL. */
  readonly migrations: URL;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets; by default `now`, where that is given. */
  readonly monotonicMs?: () => number;
  /** Whether what is missing of its schema is applied, and a schema made; by default it is. */
  readonly migrates?: boolean;
  /** Told what was found and done. */
  readonly onOpened?: (opening: Opening) => void;
  /** Told once when newer code has left this one behind, in words: this process cannot go on with the schema. */
  readonly onLeftBehind?: (told: string) => void;
  /** Told in words when the server has forgotten rows of the log: another one has taken over that lacked them, or it was restored. */
  readonly onForgotten?: (told: string) => void;
}
