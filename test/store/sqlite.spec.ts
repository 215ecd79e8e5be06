import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { storeRows } from "./store-rows.ts";
import { type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("the SQLite engine", () => {
  let temporary: TemporaryStore;

  beforeEach(() => {
    temporary = temporaryStore();
  });
  afterEach(() => temporary.dispose());

  storeRows("a SQLite file", async (clock) => temporary.open(clock));

  it("has leases only as long as no other process serves the file", async () => {
    const lock = new AbortController();
    const store = temporary.open({ lost: lock.signal });
    const begun = Promise.withResolvers<void>();
    const held = store.lease("relay", (lost) => {
      begun.resolve();
      return new Promise((resolve) => lost.addEventListener("abort", () => resolve()));
    });
    await begun.promise;
    lock.abort();
    await held;
    const refused = store.lease("relay", async () => expect.fail("it began"));
    expect(await refused.catch((error: { code: string }) => error.code)).to.equal("draining");
  });
});

describe("a unit of work", () => {
  it("does not compile when it awaits anything, or yields what is no step, or writes where it only reads", () => {
    const project = fileURLToPath(new URL("../fixtures/foreign-steps/tsconfig.json", import.meta.url));
    const compiler = fileURLToPath(new URL("../../node_modules/typescript-7/bin/tsc", import.meta.url));
    const { stdout } = spawnSync(process.execPath, [compiler, "-p", project], { encoding: "utf8" });
    const refused = Array.from(stdout.matchAll(/foreign-steps\.ts\((\d+),\d+\): error TS/g), ([, line]) => line);
    expect(refused, stdout).to.deep.equal(["9", "15", "21"]);
  });

  it("is refused by a check where it is made and not run", () => {
    const tool = fileURLToPath(new URL("../../tools/forgotten-steps.ts", import.meta.url));
    const fixture = fileURLToPath(new URL("../fixtures/forgotten-steps/forgotten-steps.ts", import.meta.url));
    const { stderr, status } = spawnSync(process.execPath, [tool, fixture], { encoding: "utf8" });
    const lines = Array.from(stderr.matchAll(/forgotten-steps\.ts:(\d+):\d+ is work/g), ([, line]) => Number(line));
    expect([...new Set(lines)], stderr).to.deep.equal([17, 18, 19, 20, 21, 22, 23, 24, 32]);
    expect(status).to.equal(1);
  });
});
