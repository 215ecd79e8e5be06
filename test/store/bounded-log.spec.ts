import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "chai";
import { CHECKPOINT_PAGES } from "../../src/store/engines/sqlite/commit/checkpoints.ts";
import type { Store } from "../../src/store/store.ts";
import { addNote, temporaryStore } from "./temporary-store.ts";

const BOUND_BYTES = 8 * 1024 * 1024;

describe("the write-ahead log", () => {
  it("stays below twice what a checkpoint waits for while writes never cease", async () => {
    const temporary = temporaryStore();
    try {
      const store = temporary.open();
      const pages = () => (statSync(`${temporary.file}-wal`).size - 32) / (4_096 + 24);
      let highest = 0;
      const write = async (writer: number) => {
        for (let n = 0; n < 400; n++) {
          await store.write(addNote(`${writer}-${n}`, "x".repeat(3_000)));
          highest = Math.max(highest, pages());
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, writer) => write(writer)));
      expect(highest).to.be.within(CHECKPOINT_PAGES, 2 * CHECKPOINT_PAGES);
    } finally {
      await temporary.dispose();
    }
  });
});

describe("the write-ahead log becomes small again after a reader that has held on to an old state", () => {
  it("with the next writes", () =>
    afterReader(async (store, sizeOfLog) => {
      for (let n = 0; n < 1_000 && sizeOfLog() > BOUND_BYTES; n++) await store.write(addNote(`later-${n}`));
      expect(sizeOfLog()).to.be.at.most(BOUND_BYTES);
    }));

  it("without any, when it is looked after, as a process does while it serves", () =>
    afterReader(async (store, sizeOfLog, reader) => {
      const old = reader();
      await store.boundLog();
      expect(sizeOfLog(), "while one reads").to.be.above(BOUND_BYTES);
      old.close();
      await store.boundLog();
      expect(sizeOfLog()).to.equal(0);
      await store.write(addNote("later"));
      const small = sizeOfLog();
      await store.boundLog();
      expect(sizeOfLog(), "a small one is left alone").to.equal(small);
    }));

  async function afterReader(
    work: (store: Store, sizeOfLog: () => number, reader: () => Database.Database) => Promise<void>,
  ): Promise<void> {
    const temporary = temporaryStore();
    try {
      const store = temporary.open();
      const text = "x".repeat(20_000);
      const write = async (from: number, count: number) => {
        for (let n = from; n < from + count; n++) await store.write(addNote(`n-${n}`, text));
      };
      await write(0, 10);
      const read = () => {
        const reader = new Database(temporary.file, { readonly: true });
        reader.exec("BEGIN");
        reader.prepare("SELECT count(*) FROM notes").get();
        return reader;
      };
      const reader = read();
      await write(10, 700);
      const sizeOfLog = () => statSync(`${temporary.file}-wal`).size;
      expect(sizeOfLog()).to.be.above(BOUND_BYTES);
      reader.close();
      await work(store, sizeOfLog, read);
    } finally {
      await temporary.dispose();
    }
  }
});
