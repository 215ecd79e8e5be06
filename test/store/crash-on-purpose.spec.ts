import { copyFileSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { addNote, noteIds, type TemporaryStore, temporaryStore } from "./temporary-store.ts";

describe("a store that is closed as by a crash", () => {
  let temporary: TemporaryStore;
  let sync: { readonly told: (error: Error | null) => void } | undefined;

  beforeEach(() => {
    temporary = temporaryStore();
    sync = undefined;
  });
  afterEach(() => temporary.dispose());

  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => "done",
      ({ code, options }) =>
        `${code}${options.extensions?.outcome === undefined ? "" : `, ${options.extensions.outcome}`}`,
    );

  const readIds = (store: SqliteStore) =>
    store.read(function* () {
      return noteIds(store);
    });

  it("fails what is under way, and says of what may be on disk that nobody knows", async () => {
    const synced = Promise.withResolvers<void>();
    const store = temporary.open({
      schedule: (run) => run(),
      sync: (_, told) => {
        sync = { told };
        synced.resolve();
      },
    });
    const onItsWay = codeOf(store.write(addNote("a")));
    await synced.promise;
    const seen = codeOf(readIds(store));
    const waiting = codeOf(store.write(addNote("b")));
    const crashed = store.crash();
    const late = codeOf(store.write(addNote("c")));
    sync?.told(null);
    await crashed;
    expect(await onItsWay).to.equal("dependency-unavailable, unknown");
    for (const each of [seen, waiting, late, codeOf(readIds(store))])
      expect(await each).to.equal("dependency-unavailable");
    expect(noteIds(temporary.open())).to.deep.equal(["a"]);
  });

  it("leaves its write-ahead log beside it, from which the next opening goes on", async () => {
    const store = temporary.open();
    await store.write(addNote("a"));
    await store.crash();
    await store.close();
    expect(statSync(`${temporary.file}-wal`).size).to.be.above(0);
    const without = join(temporary.folder, "without");
    mkdirSync(without);
    copyFileSync(temporary.file, join(without, "notes.db"));
    const database = temporary.open();
    expect(noteIds(database)).to.deep.equal(["a"]);
    const copy = temporaryStore(without);
    expect(noteIds(copy.open()), "what is in the log alone").to.deep.equal([]);
    await copy.dispose();
    await database.write(addNote("b"));
    await database.close();
    expect(() => statSync(`${temporary.file}-wal`), "once it is closed whole").to.throw("ENOENT");
    expect(noteIds(temporary.open())).to.deep.equal(["a", "b"]);
  });
});
