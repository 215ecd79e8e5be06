import { openPostgresStore } from "../../../src/store/engines/postgres/open-store.ts";
import type { OpenPostgresStoreOptions } from "../../../src/store/engines/postgres/options.ts";
import type { LogEntry, Store } from "../../../src/store/store.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../../support/postgres.ts";

export const POSTGRES_NOTES = new URL("../migrations/postgres/", import.meta.url);

/** A server of a test file, and the stores of notes in it. */
export interface TemporaryPostgres {
  readonly server: PostgresServer;
  /** The schema that its stores are in. */
  readonly schema: string;
  /** Begins with an empty schema. */
  begin(): void;
  /** Opens a store of notes in it, once more each time; `end` closes what is still open. */
  open(options?: Partial<OpenPostgresStoreOptions>): Promise<Store>;
  end(): Promise<void>;
}

/** For the tests of this `describe`, which are left out where there is no PostgreSQL. */
export function temporaryPostgres(settings: readonly string[] = []): TemporaryPostgres {
  let server: PostgresServer | undefined;
  let schemas = 0;
  let opened: Store[] = [];

  before(async function () {
    const missing = missingPostgres();
    if (missing !== undefined) {
      console.log(`    ${missing}`);
      this.skip();
    }
    server = await startPostgresServer(settings);
  });
  after(() => server?.stop());

  const started = () => {
    if (server === undefined) throw new Error("this PostgreSQL has not started");
    return server;
  };
  return {
    get server() {
      return started();
    },
    get schema() {
      return `notes_${schemas}`;
    },
    begin() {
      schemas += 1;
    },
    async open(options) {
      const store = await openPostgresStore({
        name: "notes",
        url: started().url,
        schema: this.schema,
        migrations: POSTGRES_NOTES,
        ...options,
      });
      opened.push(store);
      return store;
    },
    async end() {
      await Promise.all(opened.map((store) => store.close()));
      opened = [];
    },
  };
}

/** The whole log. */
export async function allRows(store: Store): Promise<LogEntry[]> {
  const rows: LogEntry[] = [];
  for (;;) {
    const next = await store.log.readAfter(rows.length, 1_000);
    if (next.length === 0) return rows;
    rows.push(...next);
  }
}
