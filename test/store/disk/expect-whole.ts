import { expect } from "chai";
import { noteIds, temporaryStore } from "../temporary-store.ts";

/** That the store in a folder has these notes and perhaps more, each with its row in the log, and no damage. */
export async function expectWhole(folder: string, known: ReadonlySet<string>, when: string): Promise<void> {
  const store = temporaryStore(folder).open();
  try {
    const notes = noteIds(store);
    const rows = await store.log.readAfter(0, 1_000_000);
    const subjects = rows.map(({ event }) => JSON.parse(event).subject);
    const numbers = rows.map(({ seq }) => seq);
    expect([...known.difference(new Set(notes))], `lost: ${when}`).to.deep.equal([]);
    expect(subjects, when).to.have.members(notes);
    expect(numbers, when).to.deep.equal(notes.map((_, i) => i + 1));
    expect(store.prepare("PRAGMA integrity_check").get(), when).to.deep.equal({ integrity_check: "ok" });
  } finally {
    await store.close();
  }
}
