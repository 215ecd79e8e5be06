import { expect } from "chai";
import { Client } from "pg";
import { Problem } from "../../../src/base/problem.ts";
import { sql } from "../../../src/store/sql.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { increaseNote } from "./increase-note.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("a store in PostgreSQL whose connections are all in use for too long", () => {
  const postgres = temporaryPostgres();

  beforeEach(() => postgres.begin());
  afterEach(() => postgres.end());

  it("tells who waits that it is busy, once, and does not take the server for gone", async () => {
    const store = await postgres.open({ connections: 1, url: `${postgres.server.url}?options=-c lock_timeout=0` });
    await store.write(addNote("a", "0"));
    const inTheWay = new Client({ connectionString: postgres.server.url });
    inTheWay.on("error", () => {}); // its server may end before it
    await inTheWay.connect();
    await inTheWay.query(`BEGIN; SELECT * FROM ${postgres.schema}.notes WHERE id = 'a' FOR UPDATE`);
    const first = store.write((unit) => increaseNote(unit, "a"));
    await until("it waits for the row", async () => {
      const waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      return (await postgres.server.query(waiting)).length > 0;
    });
    const others = await Promise.allSettled([
      store.write(addNote("b")),
      store.read((reading) => reading.get(sql`SELECT 1`)),
    ]);
    for (const other of others) {
      const { reason } = other as PromiseRejectedResult;
      expect(reason).to.be.instanceOf(Problem);
      expect([reason.code, reason.options.retryAfterSeconds]).to.deep.equal(["overloaded", 1]);
    }
    expect(store.fault()).to.equal(undefined);
    await inTheWay.query("COMMIT");
    await inTheWay.end();
    await first;
    await store.write(addNote("b"));
  });
});
