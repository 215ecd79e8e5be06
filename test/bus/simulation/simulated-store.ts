import Database from "better-sqlite3";
import type { SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import type { Store } from "../../../src/store/store.ts";
import { openModule } from "../modules.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimulatedStoreOptions {
  readonly name: string;
  readonly folder: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** See `OpenStoreOptions.randomEpoch`. */
  readonly epoch: () => string;
}

/** A module's database, open in simulated time, until whoever has it open is killed. */
export interface SimulatedStore {
  readonly store: SqliteStore;
  /** Between any two steps; what is queued is never written. */
  kill(): void;
}

export function openSimulatedStore({ name, folder, scheduler, random, epoch }: SimulatedStoreOptions): SimulatedStore {
  let alive = true;
  let endSync = () => {};
  const opened = openModule(name, folder, {
    schedule: (run) => void scheduler.after(random.integer(0, 5), () => alive && run()),
    sync(_log, told) {
      let isOpen = true;
      endSync = () => {
        if (isOpen) told(null);
        isOpen = false;
      };
      scheduler.after(random.integer(0, 3), endSync);
      if (!alive) endSync();
    },
    now: scheduler.now,
    randomEpoch: epoch,
  });
  const write: Store["write"] = (work) =>
    opened.write((unit) => {
      if (!alive) throw killed();
      return work(unit);
    });
  return {
    store: { ...opened, write },
    kill() {
      alive = false;
      // Not within a transaction of its own. A kill takes nothing from the disk, and closes all files.
      setImmediate(() => {
        endSync();
        void opened.close();
      });
    },
  };
}

/** Ends the whole transaction, as the death of the process would. */
export function killed(): Error {
  return new Database.SqliteError("killed", "SQLITE_INTERRUPT");
}
