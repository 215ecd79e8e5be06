import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect } from "chai";
import { openPostgresStore } from "../../../src/store/engines/postgres/open-store.ts";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { startBalancer } from "../../support/balancer.ts";
import { missingPostgres } from "../../support/postgres.ts";
import { type PostgresPair, startPostgresPair } from "../../support/postgres-pair.ts";
import { until } from "../../support/process.ts";
import { addNote } from "../temporary-store.ts";
import { POSTGRES_NOTES } from "./temporary-postgres.ts";

describe("a store of several servers, one of which is written to", () => {
  let pair: PostgresPair;
  let store: Store | undefined;
  let schemas = 0;
  let schema = "";

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    pair = await startPostgresPair("synchronous");
  });
  beforeEach(async () => {
    schema = `notes_${++schemas}`;
    if (pair.standby === undefined) await pair.renewStandby();
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
  });
  after(() => pair?.stop());

  const urlAt = (...ports: (number | undefined)[]) =>
    `postgres://postgres@${ports.map((port) => `127.0.0.1:${port}`).join()}/postgres?target_session_attrs=read-write`;
  const open = async (url: string) => {
    store = await openPostgresStore({ name: "notes", schema, url, migrations: POSTGRES_NOTES });
    return store;
  };
  const ids = (from: Store) =>
    from.read(function* (reading) {
      return (yield* reading.all(sql<{ id: string }>`SELECT id FROM notes ORDER BY id`)).map(({ id }) => id);
    });
  /** Until it succeeds, as whoever is told 503 does it again. */
  const write = (to: Store, id: string) =>
    until("it can be written to", () =>
      to.write(addNote(id)).then(
        () => true,
        () => false,
      ),
    );

  it("passes by one that is not there and one that only reads, and goes along when another is promoted, with all rows and a new epoch", async () => {
    const opened = await open(urlAt(1, pair.standby?.port, pair.primary.port));
    await opened.write(addNote("before"));
    expect((await opened.log.head())?.seq).to.equal(1);
    await pair.killPrimary();
    await pair.promote();
    await write(opened, "after");
    expect(await ids(opened)).to.deep.equal(["after", "before"]);
    const [before, after] = await opened.log.readAfter(0, 10);
    expect(after?.previousEpoch).to.equal(before?.epoch);
    expect(after?.epoch).not.to.equal(before?.epoch);
    await until("nothing is wrong any more", () => opened.fault() === undefined);
  });

  it("tells by whom it was refused where none can be written to", async () => {
    const refusal = await open(urlAt(1, pair.standby?.port)).catch(({ message }: Error) => message);
    expect(refusal).to.match(
      new RegExp(
        `^notes: postgres://127\\.0\\.0\\.1:1,127\\.0\\.0\\.1:${pair.standby?.port}/postgres, schema ${schema} cannot be opened: ` +
          `127\\.0\\.0\\.1:${pair.standby?.port} only reads, as a standby does; .*ECONNREFUSED`,
      ),
    );
  });

  it("is reached by one address too that leads to each of them in turn", async () => {
    const servers = [pair.primary.url, pair.standby?.url ?? ""];
    const balancer = await startBalancer(servers, async () => true);
    try {
      const { port } = new URL(balancer.url);
      await until("it is opened", () =>
        open(urlAt(Number(port))).then(
          () => true,
          () => false,
        ),
      );
      if (store === undefined) throw new Error("it is not open");
      const opened = store;
      await Promise.all(["a", "b", "c", "d", "e", "f"].map((id) => write(opened, id)));
      await pair.killPrimary();
      await pair.promote();
      await write(opened, "g");
      expect(await ids(opened)).to.deep.equal(["a", "b", "c", "d", "e", "f", "g"]);
      await opened.close();
    } finally {
      await balancer.stop();
    }
  });

  it("waits for one that takes connections and says nothing no longer than five seconds, once", async () => {
    const sockets: Socket[] = [];
    const mute = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
    await once(mute, "listening");
    try {
      const opened = await open(urlAt((mute.address() as AddressInfo).port, pair.primary.port));
      await opened.write(addNote("a"));
      expect(sockets).to.have.length(1);
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });
});
