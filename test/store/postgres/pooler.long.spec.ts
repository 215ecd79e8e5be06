import { missingPgbouncer, type Pooler, startPooler } from "../../support/pgbouncer.ts";
import { makePooledRole } from "../../support/shop-database.ts";
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

  beforeEach(async () => {
    postgres.begin();
    const role = `role_of_${postgres.schema}`;
    await makePooledRole(postgres.server, role, "postgres", postgres.schema);
    await pooler?.admit(role);
  });
  afterEach(() => postgres.end());

  storeRows("PostgreSQL behind PgBouncer", (clock) => {
    const url = `postgres://role_of_${postgres.schema}@127.0.0.1:${pooler?.port}/postgres`;
    return postgres.open({ ...clock, url, pooled: true });
  });
});
