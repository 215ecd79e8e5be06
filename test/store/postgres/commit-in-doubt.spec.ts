import { expect } from "chai";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { addNote } from "../temporary-store.ts";
import { type CuttingProxy, startCuttingProxy } from "./cutting-proxy.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

describe("a COMMIT of PostgreSQL that nobody answers", () => {
  const postgres = temporaryPostgres();
  let proxy: CuttingProxy;
  let store: Store;

  beforeEach(async () => {
    postgres.begin();
    proxy = await startCuttingProxy(postgres.server.url);
    store = await postgres.open({ url: proxy.url });
  });
  afterEach(async () => {
    await postgres.end();
    await proxy.stop();
  });

  for (const [how, runs] of [
    ["before", 2],
    ["after", 1],
    ["late", 1],
  ] as const) {
    it(`is found out by another connection: one that arrives ${how === "before" ? "not" : how}`, async () => {
      await store.write(addNote("earlier"));
      let run = 0;
      let told = 0;
      proxy.cutNext(how);
      const result = await store.write(function* (unit) {
        run += 1;
        unit.afterCommit(() => {
          told += 1;
        });
        yield* addNote("a")(unit);
        return `run ${run}`;
      });
      expect(proxy.cuts).to.equal(1);
      expect([result, told]).to.deep.equal([`run ${runs}`, 1]);
      const ids = await store.read((reading) => reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`));
      expect(ids.map(({ id }) => id)).to.deep.equal(["a", "earlier"]);
      const subjects = (await store.log.readAfter(0, 10)).map(({ event }) => JSON.parse(event).subject);
      expect(subjects).to.deep.equal(["earlier", "a"]);
      expect(store.fault()).to.equal(undefined);
    });
  }

  it("is found out of a first unit of work, too, whose connection is new", async () => {
    proxy.cutNext("late");
    await store.write(addNote("a"));
    expect(proxy.cuts).to.equal(1);
    expect(await store.log.head()).to.include({ seq: 1 });
  });
});
