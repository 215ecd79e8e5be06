import { chownSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { Problem } from "../../../src/base/problem.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { fillUp, type SmallDisk, smallDisk } from "../../support/disk/small-disk.ts";
import { ownerOfServer } from "../../support/postgres.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { allRows, temporaryPostgres } from "./temporary-postgres.ts";

/** A page holds a few. */
const TEXT = "x".repeat(1_500);

describe("a store in PostgreSQL whose tables have no room to grow", () => {
  const postgres = temporaryPostgres();
  let disk: SmallDisk | undefined;
  let store: Store;

  before(async function () {
    const found = smallDisk(64);
    if ("reason" in found) {
      if (this.test !== undefined) this.test.title += ` (skipped: ${found.reason})`;
      return this.skip();
    }
    disk = found;
    const { uid, gid } = ownerOfServer() ?? { uid: 0, gid: 0 };
    chownSync(disk.folder, uid, gid);
    await postgres.server.query(`CREATE TABLESPACE small LOCATION '${disk.folder}'`);
    await postgres.server.query("ALTER DATABASE postgres SET default_tablespace = small");
    postgres.begin();
    store = await postgres.open();
  });
  afterEach(() => postgres.end());
  after(() => disk?.unmount());

  it("refuses what needs some by name, reads on, keeps all that it acknowledged, and goes on once there is room", async () => {
    const filler = join(disk?.folder ?? "", "filler");
    await store.write(addNote("0000"));
    fillUp(filler);
    const acknowledged = ["0000"];
    for (let refused = 0; refused < 3; ) {
      const id = String(acknowledged.length).padStart(4, "0");
      const error = await store.write(addNote(id, TEXT)).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) acknowledged.push(id);
      else refused += 1;
      if (error !== undefined) expect(error).to.be.instanceOf(Problem).and.to.include({ code: "storage-full" });
      expect(acknowledged, "it never filled").to.have.length.below(1_000);
    }
    expect(await ids(store)).to.deep.equal(acknowledged);
    rmSync(filler);
    await until("the fault has passed, though nobody wrote", () => store.fault() === undefined);
    await store.write(addNote("after", TEXT));
    acknowledged.push("after");
    expect(await ids(store)).to.deep.equal(acknowledged);
    const subjects = async () => (await allRows(store)).map(({ event }) => JSON.parse(event).subject);
    await until("its log has all events", async () => (await subjects()).length === acknowledged.length);
    expect(await subjects()).to.deep.equal(acknowledged);
  });
});

function ids(store: Store): Promise<string[]> {
  return store.read(function* (reading) {
    return (yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`)).map(({ id }) => id);
  });
}
