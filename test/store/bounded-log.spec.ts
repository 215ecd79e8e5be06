import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { expect } from "chai";
import { addNote, temporaryStore } from "./temporary-store.ts";

const BOUND_BYTES = 8 * 1024 * 1024;

describe("the write-ahead log", () => {
  it("becomes small again after a reader that has held on to an old state", async () => {
    const temporary = temporaryStore();
    try {
      const store = temporary.open();
      const text = "x".repeat(20_000);
      const write = async (from: number, count: number) => {
        for (let n = from; n < from + count; n++) await store.write(addNote(store, `n-${n}`, text));
      };
      await write(0, 10);
      const reader = new Database(temporary.file, { readonly: true });
      reader.exec("BEGIN");
      reader.prepare("SELECT count(*) FROM notes").get();
      await write(10, 700);
      const sizeOfLog = () => statSync(`${temporary.file}-wal`).size;
      expect(sizeOfLog()).to.be.above(BOUND_BYTES);
      reader.exec("COMMIT");
      reader.close();
      await write(1_000, 5);
      expect(sizeOfLog()).to.be.at.most(BOUND_BYTES);
    } finally {
      await temporary.dispose();
    }
  });
});
