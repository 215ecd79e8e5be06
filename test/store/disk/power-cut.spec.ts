import { expect } from "chai";
import { createRandom } from "../../bus/simulation/random.ts";
import { createDisk, type Disk } from "../../support/disk/disk.ts";
import type { Platter } from "../../support/disk/platter.ts";
import { skipWithoutShim } from "../../support/disk/shim.ts";
import { extent } from "../../support/extent.ts";
import { until } from "../../support/process.ts";
import { noteIds, type TemporaryStore, temporaryStore } from "../temporary-store.ts";
import { expectWhole as expectWholeStore } from "./expect-whole.ts";
import { startWitness, type Witness } from "./witness.ts";

/** When the power goes: in the midst of making the file, of commits, of the syncs of a checkpoint; see shim.c. */
const CUTS = extent(
  "power cuts of a store at more moments",
  [
    ...["die-before 1", "die-after 1 -wal", "die-before 30 -wal", "die-after 31 -wal"],
    ...["die-before 1 .db", "die-after 1 .db", "die-before 2 .db", "die-after 2 .db"],
  ],
  ["die-before 30 -wal", "die-after 31 -wal", "die-before 1 .db"],
);
const seeds = extent("more power cuts of a store", [1, 2], [1]);

describe("a store on a disk that loses its power", () => {
  let temporary: TemporaryStore;
  let disk: Disk;
  let platter: Platter;
  let running: Witness | undefined;

  beforeEach(function () {
    skipWithoutShim(this);
    temporary = temporaryStore();
    disk = createDisk(true);
    platter = disk.platter(temporary.folder);
    platter.begin();
  });
  afterEach(async () => {
    running?.kill();
    await temporary?.dispose();
    disk?.dispose();
  });

  for (const seed of seeds) {
    it(`has all that anybody was told of, and no half unit of work, whenever that is: seed ${seed}`, async () => {
      const random = createRandom(seed);
      const told = new Set<string>();
      for (const [at, cut] of CUTS.entries()) {
        disk.behave(cut);
        const witness = begin(`cut-${at}`);
        const exit = await witness.exited;
        expect(exit, `${cut}: ${exit.complaint}`).to.include({ signal: "SIGKILL", complaint: "" });
        platter.cut(at % 2 === 0 ? random : undefined);
        for (const id of everythingTold(witness)) told.add(id);
        await expectWhole(told, cut);
      }
      expect(told.size).to.be.at.least(CUTS.length * 50);
    });
  }

  it("loses what it said was written when the disk lies about its syncs, so that this test can fail", async () => {
    disk.behave("lie 1 -wal", "lie 1 .db");
    const witness = begin("lost");
    await until("notes are written", () => witness.known.written.size >= 100);
    witness.kill();
    await witness.exited;
    platter.cut();
    const store = temporary.open();
    expect(new Set(noteIds(store)).intersection(everythingTold(witness)).size).to.equal(0);
    await store.close();
  });

  it("says nothing of a write while its sync takes long, and all of it afterwards", async () => {
    const witness = begin("slow");
    await until("notes are written", () => witness.known.written.size >= 50);
    disk.behave("hold 1 -wal");
    await until("a sync is held", () => disk.syncs().some(({ outcome }) => outcome === "held"));
    const told = await finallyTold(witness);
    await witness.turn();
    expect(everythingTold(witness)).to.deep.equal(told);
    disk.behave();
    await until("more is told", () => everythingTold(witness).size > told.size);
    witness.kill();
    await witness.exited;
    platter.cut();
    await expectWhole(everythingTold(witness), "afterwards");
  });

  for (const failing of extent("syncs of a checkpoint that fail", ["-wal", ".db"], ["-wal"])) {
    it(`is not trusted any more once a sync of its ${failing} has failed: nothing is told that may be lost, then or later`, async () => {
      const witness = begin("failed");
      await until("notes are written", () => witness.known.written.size >= 50);
      disk.behave(`fail 1 ${failing}`);
      await until("the file is distrusted", () => witness.known.distrusted.size > 0);
      const told = await finallyTold(witness);
      disk.behave();
      await witness.turn();
      expect(everythingTold(witness), "the disk is well again, or says so").to.deep.equal(told);
      witness.kill();
      await witness.exited;

      const next = begin("next");
      await until("more notes are written", () => next.known.written.size >= 20);
      next.kill();
      await next.exited;
      platter.cut();
      await expectWhole(told.union(everythingTold(next)), "as the next process found it");
    });
  }

  for (const seed of extent<number[]>("power cuts after a failed sync", [1, 2, 3], [])) {
    it(`is whole when the power goes while the next process judges what a failed sync has left: seed ${seed}`, async () => {
      const witness = begin("first");
      await until("notes are written", () => witness.known.written.size >= 50);
      witness.kill();
      await witness.exited;
      disk.behave("fail 3 -wal"); // after those of the checkpoint at the opening, and of the head of the log that begins anew
      const distrustful = begin("failed");
      await until("the file is distrusted", () => distrustful.known.distrusted.size > 0);
      distrustful.kill();
      await distrustful.exited;
      disk.behave("fail 1 -wal");
      expect((await begin("refused").exited).complaint).to.contain("notes.db cannot be opened: EIO");
      disk.behave("die-before 1 .db");
      expect(await begin("next").exited).to.include({ signal: "SIGKILL", complaint: "" });
      platter.cut(createRandom(seed));
      await expectWhole(everythingTold(witness), "afterwards");
    });
  }

  function begin(prefix: string): Witness {
    running = startWitness(temporary.folder, prefix, disk.env);
    return running;
  }

  async function expectWhole(told: ReadonlySet<string>, when: string): Promise<void> {
    await expectWholeStore(temporary.folder, told, when);
    platter.begin();
  }
});

function everythingTold({ known }: Witness): Set<string> {
  return known.written.union(known.shown).union(known.told);
}

/** The same, once no more of it comes: what was known in time may be told late. */
async function finallyTold(witness: Witness): Promise<Set<string>> {
  let told = everythingTold(witness);
  await until("no more is told", async () => {
    const { size } = told;
    await witness.turn();
    told = everythingTold(witness);
    return told.size === size;
  });
  return told;
}
