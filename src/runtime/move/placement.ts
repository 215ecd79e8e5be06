/** Whose a module is: a name that a process has again after a restart with the same settings. */
export type PlaceName = string;

/** The place of whoever has the module in its `SERVE`, and is not a standby. */
export const HOME: PlaceName = "home";

/** Where a module is. Written beside its database, by who holds the lock of that alone; it outranks `SERVE`. */
export interface Placement {
  /** Larger with each owner: of two that somebody hears of, the larger one is true. 0 where none has been written. */
  readonly generation: number;
  readonly owner: PlaceName;
  /** Where others reach it; null at home, which the settings tell. */
  readonly url: string | null;
}

/** Where a module is that has never been moved. */
export const UNWRITTEN: Placement = { generation: 0, owner: HOME, url: null };

/** Of two things that are known of a module, the one that is true. */
export function newer(a: Placement, b: Placement): Placement {
  return a.generation > b.generation ? a : b;
}
