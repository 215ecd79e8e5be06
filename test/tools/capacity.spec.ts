import { readFileSync } from "node:fs";
import { expect } from "chai";
import { placesOf, withTables } from "../../bench/page.ts";
import type { Figures, ShopFigures } from "../../bench/scale/figures.ts";
import { limitsOf, microsPerOrder, planFor } from "../../bench/scale/plan.ts";
import { tablesOf } from "../../bench/scale/tables.ts";

const PAGE = new URL("../../docs/CAPACITY.md", import.meta.url);
const MEASURED = new URL("../../bench/scale/measured.json", import.meta.url);

/** Two of each, at 100 orders a second, of which an order takes 600 µs in each service, and 300 in each of these servers. */
function shopWith(servers: readonly string[]): ShopFigures {
  const services = { gateway: 600, users: 600, products: 600, orders: 600 };
  const database = Object.fromEntries(servers.map((name) => [name, 300]));
  const own = { ...services, ...database, redis: 60 };
  const idleMicros = Object.fromEntries(Object.keys(own).map((name) => [name, 12_000]));
  const cpuMicros = Object.fromEntries(Object.entries(own).map(([name, micros]) => [name, micros + 120]));
  const round = { orders: 400, perSecond: 100, cpuMicros, walBytes: 5_000, p50Ms: 1, p99Ms: 2 };
  return {
    name: "2 of each",
    replicas: 2,
    rounds: [round, round],
    idleMicros,
    rowsPerOrder: 20,
    commitsPerOrder: 5,
    bytesKeptPerOrder: 2_000,
    groups: { numbered: 1, reserved: 1, confirmed: 1 },
    waits: { running: 1 },
    connections: 60,
    redis: { bytesPerEvent: 500, secondsKept: 2 },
    memoryBytes: {},
  };
}

describe("the plan of docs/CAPACITY.md", () => {
  it("leaves out what goes on when nobody orders of what an order takes", () => {
    expect(microsPerOrder(shopWith(["postgres"]))).to.deep.equal({
      ...{ gateway: 600, users: 600, products: 600, orders: 600, postgres: 300, redis: 60 },
    });
  });

  it("says what 3.6 million orders an hour take: a thousand a second", () => {
    const plan = planFor(3_600_000, shopWith(["postgres"]));
    expect(plan.ordersPerSecond).to.equal(1_000);
    // 0.6 s of processor time a second, of processors that are 60 % busy
    expect(plan.processes).to.deep.equal({ gateway: 2, users: 2, products: 2, orders: 2 });
    expect(plan.applicationCores).to.be.closeTo(4 + (8 * 0.006) / 0.6, 1e-9);
    expect(plan.databaseCores).to.be.closeTo(0.5, 1e-9);
    expect(plan.redisCores).to.be.closeTo(0.1, 1e-9);
    expect(plan.connections).to.equal(60);
    expect(plan.walBytesPerSecond).to.equal(5_000_000);
    expect(plan.rowsPerSecond).to.equal(20_000);
    expect(plan.keptBytesPerDay).to.equal(2_000 * 1_000 * 86_400);
    expect(plan.redisBytes).to.equal(2 * 500 * 2 * 1_000);
  });

  it("has as many processes as one processor each is enough for", () => {
    const { processes } = planFor(36_000_000, shopWith(["postgres"]));
    expect(processes).to.deep.equal({ gateway: 10, users: 10, products: 10, orders: 10 });
  });

  it("has the lowest wall first, and the busiest of several servers as one", () => {
    const wall = (perSecond: number) => ({ perSecond, serverMicros: 0, clientMicros: 0 });
    const walls = { numbering: wall(20_000), reserving: wall(900), reservingOne: wall(800), writing: [] };
    const limits = limitsOf({ walls } as unknown as Figures, shopWith(["postgres"]), shopWith(["postgres of orders"]));
    expect(limits.map(({ what, ordersPerSecond }) => [what, Math.round(ordersPerSecond)])).to.deep.equal([
      ["reserving one product", 800],
      ["reserving", 900],
      ["one Redis", 10_000],
      ["numbering", 20_000],
      ["one primary", 128_000],
      ["a primary per module, of which the busiest is postgres of orders", 128_000],
    ]);
  });

  it("is on the page as it follows from the figures that are stored", () => {
    const tables = tablesOf(JSON.parse(readFileSync(MEASURED, "utf8")) as Figures);
    const page = readFileSync(PAGE, "utf8");
    expect(placesOf(PAGE).map(({ by }) => by)).to.have.members([...tables.keys()]);
    expect(withTables(page, tables)).to.equal(page);
  });
});
