import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventDraft } from "../../src/contract/event.ts";
import { readSchema } from "../../src/store/engines/sqlite/migrations.ts";
import { type OpenStoreOptions, openStore } from "../../src/store/engines/sqlite/open-store.ts";
import type { Store, UnitOfWork } from "../../src/store/store.ts";

/** A store of notes in a temporary folder, that can be opened again and again. */
export interface TemporaryStore {
  readonly folder: string;
  readonly file: string;
  /** Opens it; `dispose` closes what is still open. */
  open(options?: Partial<OpenStoreOptions>): Store;
  dispose(): Promise<void>;
}

export const NOTES_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** The newest version of the store's own tables. */
export const STORE_VERSION = readSchema(NOTES_MIGRATIONS).store.length;

export function temporaryStore(folder = mkdtempSync(join(tmpdir(), "quartet-store-"))): TemporaryStore {
  const opened: Store[] = [];
  const file = join(folder, "notes.db");
  return {
    folder,
    file,
    open(options) {
      const store = openStore({ name: "notes", file, migrations: NOTES_MIGRATIONS, ...options });
      opened.push(store);
      return store;
    },
    async dispose() {
      await Promise.all(opened.map((store) => store.close()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A unit of work that adds a note, and an event that tells of it. */
export function addNote(store: Store, id: string, text = "text"): (unit: UnitOfWork) => void {
  const insert = store.prepare<[string, string]>("INSERT INTO notes VALUES (?, ?)");
  return (unit) => {
    insert.run(id, text);
    unit.append(noteAdded(id));
  };
}

export function noteAdded(id: string): EventDraft {
  return { type: "note.added", subject: id, data: { note_id: id } };
}

/** The ids of all notes, sorted. */
export function noteIds(store: Store): string[] {
  return store
    .prepare<[], { id: string }>("SELECT id FROM notes ORDER BY id")
    .all()
    .map(({ id }) => id);
}
