import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EventDraft } from "../../src/contract/event.ts";
import { readSchema } from "../../src/store/engines/sqlite/migrations.ts";
import { type OpenStoreOptions, openStore, type SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { sql } from "../../src/store/sql.ts";
import type { Unit, Work } from "../../src/store/unit.ts";

/** A store of notes in a temporary folder, that can be opened again and again. */
export interface TemporaryStore {
  readonly folder: string;
  readonly file: string;
  /** Opens it; `dispose` closes what is still open. */
  open(options?: Partial<OpenStoreOptions>): SqliteStore;
  dispose(): Promise<void>;
}

export const NOTES_MIGRATIONS = new URL("./migrations/", import.meta.url);

/** The newest version of the store's own tables. */
export const STORE_VERSION = readSchema(NOTES_MIGRATIONS).store.length;

export function temporaryStore(folder = mkdtempSync(join(tmpdir(), "quartet-store-"))): TemporaryStore {
  const opened: SqliteStore[] = [];
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
export function addNote(id: string, text = "text"): (unit: Unit) => Work<void> {
  return function* (unit) {
    yield* unit.run(sql`INSERT INTO notes (id, text) VALUES (${id}, ${text})`);
    yield* unit.append(noteAdded(id));
  };
}

export function noteAdded(id: string): EventDraft {
  return { type: "note.added", subject: id, data: { note_id: id } };
}

/** The ids of all notes, sorted. */
export function noteIds(store: SqliteStore): string[] {
  return store
    .prepare<[], { id: string }>("SELECT id FROM notes ORDER BY id")
    .all()
    .map(({ id }) => id);
}
