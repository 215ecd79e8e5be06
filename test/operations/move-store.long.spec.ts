import { hash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { moveStores } from "../../src/operate/commands/move-store.ts";
import { readArguments } from "../../src/runtime/config.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { startShopProcess } from "../support/process.ts";
import { readShop, writeLargeShop, writeShop } from "./moved-shop.ts";

const KILL_POINTS = new URL("move-kill.ts", import.meta.url);

const ORDERS = 30_000;

describe("a move of a shop's data that is killed", function () {
  this.timeout(300_000);
  let server: PostgresServer;
  let folder: string;

  before(async function () {
    const missing = missingPostgres();
    if (missing !== undefined) {
      console.log(`    ${missing}`);
      return this.skip();
    }
    server = await startPostgresServer();
    folder = mkdtempSync(join(tmpdir(), "quartet-move-"));
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const newFolder = () => mkdtempSync(join(folder, "shop-"));

  const moveHere = (from: string, to: string, tell: (line: string) => void = () => {}) =>
    moveStores(readArguments(["--from", from, "--to", to], { flags: ["FROM", "TO"] }), tell);

  /** Runs the command in a process of its own, which is killed at the moment of this number. Resolves how many there were. */
  async function move(from: string, to: string, killAt?: number): Promise<{ moments: number; told: string }> {
    const file = join(folder, "moments");
    const run = startShopProcess({
      args: ["move-store", "--from", from, "--to", to],
      env: { KILL_AT: String(killAt ?? 0), MOMENTS_FILE: file },
      cwd: folder,
      preload: KILL_POINTS,
    });
    const { code, signal } = await run.exited;
    expect([code, signal], run.output()).to.deep.equal(killAt === undefined ? [0, null] : [null, "SIGKILL"]);
    expect(run.output()).to.not.include("begins anew");
    return { moments: killAt === undefined ? Number(readFileSync(file, "utf8")) : killAt, told: run.output() };
  }

  for (const way of ["there", "back"]) {
    it(`is whole in the end, wherever that was, on the way ${way}`, async () => {
      const [shop, database] = [newFolder(), await server.createDatabase()];
      await writeShop(shop);
      const whole = readShop(shop);
      await moveHere(shop, database);
      const [from, newPlace] = way === "there" ? [shop, server.createDatabase] : [database, async () => newFolder()];
      const { moments } = await move(from, await newPlace());
      for (let killAt = 1; killAt <= moments; killAt += Math.ceil(moments / 5)) {
        const to = await newPlace();
        await move(from, to, killAt);
        await move(from, to);
        const back = way === "there" ? newFolder() : to;
        if (way === "there") await moveHere(to, back);
        expect(readShop(back), `killed at ${killAt} of ${moments}`).to.deep.equal(whole);
      }
    });
  }

  for (const way of ["there", "back"]) {
    it(`says in one line that the server went away on the way ${way}, and goes on when it is back`, async () => {
      const [shop, back, database] = [newFolder(), newFolder(), await server.createDatabase()];
      await writeShop(shop);
      const whole = readShop(shop);
      if (way === "back") await moveHere(shop, database);
      const [from, to] = way === "there" ? [shop, database] : [database, back];
      let killed: Promise<void> | undefined;
      const told = await moveHere(from, to, () => {
        killed ??= server.kill();
      }).then(
        () => "it was not cut short",
        (error: Error) => error.message,
      );
      expect(told).to.match(/^users: the move to .* was cut short: .*\. Run it again: it goes on from there\.$/);
      await killed;
      await server.start();
      await moveHere(from, to);
      if (way === "there") await moveHere(database, back);
      expect(readShop(back)).to.deep.equal(whole);
    });
  }

  it("is whole in the end with 30,000 orders, killed twice on the way there and twice on the way back", async () => {
    const [shop, back, database] = [newFolder(), newFolder(), await server.createDatabase()];
    await writeLargeShop(shop, ORDERS);
    for (const [from, to] of [
      [shop, database],
      [database, back],
    ] as const) {
      for (const killAt of [45, 45]) await move(from, to, killAt);
      expect((await move(from, to)).told).to.match(/Orders looked at: 30000; .*: 0\.\nAll adds up\./);
    }
    const sumOf = (at: string) =>
      Object.entries(readShop(at)).map(([table, rows]) => [table, rows.length, hash("sha256", JSON.stringify(rows))]);
    const moved = sumOf(back);
    expect(moved).to.deep.equal(sumOf(shop));
    expect(moved.find(([table]) => table === "orders.orders")?.[1]).to.equal(ORDERS);
  });
});
