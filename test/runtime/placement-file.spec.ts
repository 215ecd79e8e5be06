import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { UNWRITTEN } from "../../src/runtime/move/placement.ts";
import { readPlacement, readRedis, writePlacement } from "../../src/runtime/move/placement-file.ts";
import { createRandom } from "../bus/simulation/random.ts";
import { createDisk, type Disk } from "../support/disk/disk.ts";
import { skipWithoutShim } from "../support/disk/shim.ts";

const PROGRAM = fileURLToPath(new URL("./placement-process.ts", import.meta.url));

describe("where a module is, as it is written", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "quartet-placement-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is home where nothing is written, and what was written last else, for its owner's eyes alone", () => {
    expect(readPlacement(folder, "orders")).to.deep.equal(UNWRITTEN);
    for (const generation of [1, 2]) {
      const placement = { generation, owner: "127.0.0.1:8003", url: "http://127.0.0.1:8003" };
      writePlacement(folder, "orders", placement, undefined);
      expect(readPlacement(folder, "orders")).to.deep.equal(placement);
    }
    expect(readPlacement(folder, "users")).to.deep.equal(UNWRITTEN);
    expect(readdirSync(folder)).to.deep.equal([".orders.db-placement"]);
    expect(statSync(join(folder, ".orders.db-placement")).mode & 0o077).to.equal(0);
  });

  it("comes with the Redis by which events go since then", () => {
    const placement = { generation: 1, owner: "127.0.0.1:8003", url: "http://127.0.0.1:8003" };
    const redis = { url: "redis://127.0.0.1:6379", prefix: "quartet:" };
    expect(readRedis(folder, "orders")).to.equal(null);
    writePlacement(folder, "orders", placement, redis);
    expect([readPlacement(folder, "orders"), readRedis(folder, "orders")]).to.deep.equal([placement, redis]);
    // As it was written before that was.
    writeFileSync(join(folder, ".orders.db-placement"), JSON.stringify(placement));
    expect([readPlacement(folder, "orders"), readRedis(folder, "orders")]).to.deep.equal([placement, null]);
  });

  it("is the same for who comes by a link", () => {
    const placement = { generation: 1, owner: "127.0.0.1:8003", url: "http://127.0.0.1:8003" };
    for (const each of ["data", "elsewhere"]) mkdirSync(join(folder, each));
    symlinkSync(join(folder, "elsewhere", "orders.db"), join(folder, "data", "orders.db"));
    writePlacement(join(folder, "data"), "orders", placement, undefined);
    expect(readPlacement(join(folder, "elsewhere"), "orders")).to.deep.equal(placement);
  });

  it("is refused, and not taken for home, where it cannot be read", () => {
    for (const text of ["", "{", '{"generation":1}', '{"generation":0,"owner":"home","url":null}']) {
      writeFileSync(join(folder, ".orders.db-placement"), text);
      expect(() => readPlacement(folder, "orders")).to.throw("does not say where orders is");
    }
  });

  describe("on a disk that fails", () => {
    let disk: Disk;

    beforeEach(function () {
      skipWithoutShim(this);
      disk = createDisk(true);
      disk.platter(folder).begin();
    });
    afterEach(() => disk?.dispose());

    /** @returns the generations that the program has said to be written, and how it ended */
    function write(...rules: string[]): { told: number[]; status: number | null } {
      disk.behave(...rules);
      const options = { cwd: folder, env: { PATH: process.env.PATH, ...disk.env }, encoding: "utf8" } as const;
      const { stdout, status } = spawnSync(process.execPath, [PROGRAM], options);
      return { told: stdout.split("\n").filter(Boolean).map(Number), status };
    }

    for (const rule of ["die-before 3", "die-after 3", "die-before 4", "die-after 4"]) {
      it(`is the one that was written last, or the next, and whole after a power cut: ${rule}`, () => {
        const { told } = write(rule);
        expect(told).to.deep.equal([1]);
        for (let seed = 0; seed < 20; seed += 1) {
          const left = mkdtempSync(join(tmpdir(), "quartet-placement-cut-"));
          disk.platter(folder).copyAsCut(left, seed === 0 ? undefined : createRandom(seed));
          expect(readPlacement(left, "orders").generation).to.be.oneOf([1, 2]);
          rmSync(left, { recursive: true });
        }
      });
    }

    it("is still the one before when the file cannot be synced, and the new one when only its name cannot be", () => {
      expect(write("fail 2 .new")).to.deep.include({ status: 1, told: [1] });
      expect(readPlacement(folder, "orders").generation).to.equal(1);
      expect(write("fail 6")).to.deep.include({ status: 0, told: [1, 2, 3] });
      expect(readPlacement(folder, "orders").generation).to.equal(3);
    });
  });
});
