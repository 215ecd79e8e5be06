import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Problem } from "../../../src/base/problem.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("a store whose PostgreSQL goes away", () => {
  const postgres = temporaryPostgres();
  let store: Store;

  beforeEach(async () => {
    postgres.begin();
    store = await postgres.open();
    await store.write(addNote("before"));
  });
  afterEach(() => postgres.end());

  const ids = () =>
    store.read(function* (reading) {
      return (yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`)).map(({ id }) => id);
    });
  const problemOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).to.be.instanceOf(Problem);
    return error as Problem;
  };

  it("names the fault while it is away, and works again by itself", async () => {
    await postgres.server.kill();
    await until("it is away", () => store.fault()?.includes("ECONNREFUSED") === true);
    const write = await problemOf(store.write(addNote("during")));
    expect([write.code, write.options.retryAfterSeconds, write.options.extensions]).to.deep.equal([
      "dependency-unavailable",
      1,
      undefined,
    ]);
    expect((await problemOf(ids())).code).to.equal("dependency-unavailable");
    expect((await problemOf(store.log.head())).code).to.equal("dependency-unavailable");
    expect(store.fault()).to.contain("ECONNREFUSED");
    await postgres.server.start();
    await until("it works again", () => store.fault() === undefined);
    await store.write(addNote("after"));
    expect(await ids()).to.deep.equal(["after", "before"]);
    expect((await store.log.readAfter(0, 10)).map(({ event }) => JSON.parse(event).subject)).to.deep.equal([
      "before",
      "after",
    ]);
  });

  it("tries once more what its server's end has cut short, and nobody notices", async () => {
    let runs = 0;
    const written = store.write(function* (unit) {
      runs += 1;
      yield* addNote("a")(unit);
      yield* unit.get(sql`SELECT pg_sleep(${runs === 1 ? 0.3 : 0})`);
    });
    await sleep(100);
    // As an administrator ends connections.
    await postgres.server.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(application_name, 'quartet notes')",
    );
    await written;
    expect(runs).to.equal(2);
    expect(await ids()).to.deep.equal(["a", "before"]);
    expect(store.fault()).to.equal(undefined);
  });

  it("names new rows of its log by another epoch once the server was started anew, as that may have forgotten some", async () => {
    await store.log.head();
    await postgres.server.kill();
    await postgres.server.start();
    await until("it works again", () => store.fault() === undefined);
    await store.write(addNote("after"));
    const [before, after] = await store.log.readAfter(0, 10);
    expect([before?.seq, before?.previousEpoch, after?.seq, after?.previousEpoch]).to.deep.equal([
      1,
      "",
      2,
      before?.epoch,
    ]);
    expect(after?.epoch).not.to.equal(before?.epoch);
  });
});
