import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { systemClock } from "../../src/base/clock.ts";
import { createPace, Stopped } from "../../src/base/pace.ts";
import { Problem } from "../../src/base/problem.ts";
import { Applier, type ApplierOptions } from "../../src/bus/follow/applier.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import type { Unit } from "../../src/store/unit.ts";
import { applied, openModule, publish, range, remember, silent } from "./modules.ts";
import { createRandom } from "./simulation/random.ts";

describe("an applier", () => {
  let folder: string;
  let orders: SqliteStore;
  let products: SqliteStore;

  function create(subscription = remember("orders"), options: Partial<ApplierOptions> = {}) {
    const pace = createPace(systemClock);
    return new Applier({ store: products, subscription, logger: silent, pace, clock: systemClock, ...options });
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bus-"));
    orders = openModule("orders", folder);
    products = openModule("products", folder);
  });

  afterEach(async () => {
    await Promise.all([orders.close(), products.close()]);
    rmSync(folder, { recursive: true });
  });

  it("applies each event once, however often, in whatever pieces and by how many at once it is delivered", async () => {
    await publish(orders, range(1, 300));
    const random = createRandom(1);
    const deliver = async (applier: ReturnType<typeof create>) => {
      for (let reached = 0; reached < 300; ) {
        const rows = await orders.log.readAfter(random.integer(0, reached + 5), random.integer(1, 100));
        const { connected } = await applier.apply(rows);
        if (connected) reached = Math.max(reached, rows.at(-1)?.seq ?? 0);
      }
    };
    await Promise.all([create(), create(), create()].map(deliver));
    expect(applied(products, "orders")).to.deep.equal(range(1, 300));
  });

  it("gets on where the environment lets few go together: takes fewer each time that it is prevented, and one more each time that it is not", async () => {
    await publish(orders, range(1, 100));
    const sizes = new WeakMap<Unit, number>();
    let most = 0;
    const few = remember("orders", (_number, unit) => {
      const size = (sizes.get(unit) ?? 0) + 1;
      if (size > 5) throw new Problem("dependency-unavailable", "Others are in the way.");
      sizes.set(unit, size);
      most = Math.max(most, size);
      return undefined;
    });
    const rows = await orders.log.readAfter(0, 100);
    expect(await create(few, { groupSize: 16 }).apply(rows)).to.deep.equal({ applied: 100, connected: true });
    expect(applied(products, "orders")).to.deep.equal(range(1, 100));
    expect(most).to.equal(5);
  });

  it("counts no try of what is no event against the row in whose place it stood", async () => {
    await publish(orders, [1]);
    const rows = await orders.log.readAfter(0, 1);
    const noEvents = rows.map((row) => ({ ...row, event: "{" }));
    for (let tries = 0; tries < 10; tries += 1) {
      expect(await create().apply(noEvents)).to.deep.equal({ applied: 0, connected: false });
    }
    expect(await create().apply(rows)).to.deep.equal({ applied: 1, connected: true });
    expect(applied(products, "orders")).to.deep.equal([1]);
  });

  it("ends between two transactions when it is stopped, however many rows are left", async () => {
    await publish(orders, range(1, 20));
    const rows = await orders.log.readAfter(0, 20);
    const pace = createPace(systemClock);
    const stopping = remember("orders", (number) => void (number === 7 && pace.stop()));
    const failure = await create(stopping, { pace })
      .apply(rows)
      .catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(Stopped);
    expect(applied(products, "orders")).to.deep.equal(range(1, 7));
    expect(await create().apply(rows)).to.deep.equal({ applied: 13, connected: true });
  });

  it("leaves rows alone that do not connect, and all after them", async () => {
    await publish(orders, range(1, 20));
    const rows = await orders.log.readAfter(0, 20);
    const applier = create();
    expect(await applier.apply(rows.slice(0, 5))).to.deep.equal({ applied: 5, connected: true });
    expect(await applier.apply(rows.slice(6))).to.deep.equal({ applied: 0, connected: false });
    expect(await applier.apply([...rows.slice(2, 8), ...rows.slice(10)])).to.deep.equal({
      applied: 3,
      connected: false,
    });
    expect(applied(products, "orders")).to.deep.equal(range(1, 8));
  });

  it("buries nothing where its store goes back before that to where rows before it are not applied", async () => {
    await publish(orders, range(1, 3));
    const rows = await orders.log.readAfter(0, 10);
    const poison = remember("orders", (number) => {
      if (number === 3) throw new Error("poison");
      return undefined;
    });
    const goBack = () => void products.prepare("DELETE FROM cursors").run();
    const logger = Object.assign(Object.create(silent), { error: goBack });
    expect(await create(poison, { logger }).apply(rows)).to.deep.equal({ applied: 2, connected: false });
    expect(await products.cursors.deadLetters()).to.deep.equal([]);
    expect(await products.read((reading) => products.cursors.positions(reading, "orders"))).to.deep.equal([]);
  });

  it("buries an event that kills the process at each try, and goes on", async () => {
    await publish(orders, range(1, 10));
    await Promise.all([orders.close(), products.close()]);
    const program = fileURLToPath(new URL("./deadly-process.ts", import.meta.url));
    const ends = range(1, 6).map(() => {
      const { status, signal } = spawnSync(process.execPath, [program, folder], { stdio: "ignore" });
      return signal ?? status;
    });
    expect(ends).to.deep.equal([...Array(5).fill("SIGKILL"), 0]);
    orders = openModule("orders", folder);
    products = openModule("products", folder);
    expect(applied(products, "orders")).to.deep.equal([1, 2, 3, 4, 5, 6, 8, 9, 10]);
    expect(
      (await products.cursors.deadLetters()).map(({ position, attempts }) => [position.seq, attempts]),
    ).to.deep.equal([[7, 5]]);
  });
});
