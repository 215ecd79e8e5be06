import { roleSettings } from "../../../src/store/engines/postgres/connection.ts";
import { missingPgbouncer, type Pooler, startPooler } from "../../support/pgbouncer.ts";
import { storeRows } from "../store-rows.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("the PostgreSQL engine behind a pooler that gives each transaction another connection", () => {
  const postgres = temporaryPostgres();
  let pooler: Pooler | undefined;

  before(async function () {
    const missing = missingPgbouncer();
    if (missing !== undefined) {
      console.log(`    ${missing}`);
      this.skip();
    }
    pooler = await startPooler(postgres.server.port);
  });
  after(() => pooler?.stop());

  /** A pooler would lose the settings of a connection: the role has them. */
  beforeEach(async () => {
    postgres.begin();
    const role = `role_of_${postgres.schema}`;
    await postgres.server.query(`CREATE ROLE ${role} LOGIN; GRANT CREATE ON DATABASE postgres TO ${role}`);
    for (const [name, value] of roleSettings(postgres.schema)) {
      const written = name === "search_path" ? value : `'${value}'`;
      await postgres.server.query(`ALTER ROLE ${role} SET ${name} = ${written}`);
    }
    await pooler?.admit(role);
  });
  afterEach(() => postgres.end());

  storeRows("PostgreSQL behind PgBouncer", (clock) => {
    const url = `postgres://role_of_${postgres.schema}@127.0.0.1:${pooler?.port}/postgres`;
    return postgres.open({ ...clock, url, pooled: true });
  });
});
