import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import { LONGEST_START_MS, type SimulatedPostgres } from "./simulated-postgres.ts";

/** What happens to a PostgreSQL: it starts again, or one comes in its place that has forgotten what came last. */
export const POSTGRES_FAULTS = [
  "restart",
  "promotion",
  "copied volume",
  "point in time",
  "dump",
  "dump elsewhere",
] as const;
export type PostgresFault = (typeof POSTGRES_FAULTS)[number];

export interface PostgresFaultsOptions {
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Where some modules have their schemas. */
  readonly postgres: SimulatedPostgres;
  /** What happens to it often, if that is not for the seed to say. */
  readonly often: PostgresFault | undefined;
  /** For how long faults come. */
  readonly faultsMs: number;
  /** None older is put back. */
  readonly oldestBackupMs: number;
  /** Does something about so often, as long as faults come. */
  readonly repeatedly: (aboutEveryMs: number, what: () => void) => void;
}

/** Lets one of the faults happen often, and seldom some others. */
export function choosePostgresFaults(options: PostgresFaultsOptions): void {
  const { random, scheduler, postgres, faultsMs, oldestBackupMs, repeatedly } = options;
  const { chance, integer, pick } = random;
  const later = (delayMs: number, what: () => void) =>
    scheduler.after(delayMs, () => scheduler.now() < faultsMs && what());
  const back = (remember: () => () => void) => () => {
    if (postgres.isUp) later(integer(0, oldestBackupMs), remember());
  };
  const promote = back(() => postgres.standBy());
  const faults: Record<PostgresFault, () => void> = {
    restart: () => postgres.restart(),
    promotion() {
      if (chance(0.3)) return promote();
      postgres.cutPower();
      later(LONGEST_START_MS, promote);
    },
    "copied volume": back(() => postgres.copyVolume()),
    "point in time": back(() => postgres.rememberMoment()),
    dump: back(() => postgres.dump()),
    "dump elsewhere": back(() => postgres.dumpForAnother()),
  };
  // One often and others seldom: what one part of the epoch is there for shows where the others stay the same.
  const often = options.often ?? pick(POSTGRES_FAULTS);
  for (const fault of POSTGRES_FAULTS) {
    if (fault === often || chance(0.15)) repeatedly(integer(2_000, faultsMs / 3), faults[fault]);
  }
}
