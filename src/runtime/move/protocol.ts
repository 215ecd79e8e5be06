import type { Placement, PlaceName } from "./placement.ts";

/** How long a named owner is away, with its lock free, before another takes its place. */
export const ABSENT_MS = 10_000;

/** The longest that a gate is closed before a move is given up; callers wait that long, and no request is to fail for it. */
export const GATE_MS = 2_000;

/** How often who does not have a module looks whether it should. */
export const LOOK_MS = 1_000;

/** How soon who is named tries again to get the lock. */
export const RETRY_MS = 50;

/** This process as a place of a module. Only who could serve it has one; all others have a gate alone. */
export interface Seat {
  readonly place: PlaceName;
  /** Where others reach the module when it is here; null at home. */
  readonly url: string | null;
}

/**
 * What is done in a hand-over. One at a time; whoever carries it out reports once that it is `done`, or has `failed`, in the order in which
 * they were told. A report that nothing is waiting for is passed over.
 */
export type Task =
  /** Asks the other to be warm: same code, same schema, doors open, store shut. Done: `ready`. Failed: also where it is silent for 8 s. */
  | { readonly do: "offer"; readonly to: PlaceName; readonly generation: number }
  /** Moves most of the write-ahead log into the database while calls go on, so that closing is short. */
  | { readonly do: "checkpoint" }
  /** Ends the subscriptions when what is being applied is committed, and the relaying of the log. */
  | { readonly do: "leave-bus" }
  /**
   * Takes those calls out that only wait for something to change, and has them wait at the gate, with the time that they have left. From now
   * on, until calls go to the module here again, so does who would begin to wait: a call under way may be about to.
   */
  | { readonly do: "hand-on-waits" }
  /** Waits until the calls that have begun are answered, and what they wrote is on disk. Failed: not within this time. */
  | { readonly do: "finish-calls"; readonly withinMs: number }
  /** Checkpoint, then close; the lock is kept. Failed: the file is not trusted any more, or cannot be closed. */
  | { readonly do: "close-store" }
  /** Writes and syncs where the module is. Failed: whoever reads it reads what was there before. */
  | { readonly do: "write-record"; readonly placement: Placement }
  /** Lets others have the lock of the file. Never fails. */
  | { readonly do: "free-lock" }
  /** Tells the other that it is named. Done: it has `opened`. Failed: it has not, has hung up, or is silent for 10 s. */
  | { readonly do: "tell"; readonly to: PlaceName; readonly generation: number }
  /** Becomes warm as for an offer, before it takes the place of somebody who is absent. Failed: it could not serve, and leaves all as it is. */
  | { readonly do: "prepare" }
  /** Tries the lock of the file, once and without waiting: done, or failed where somebody has it. */
  | { readonly do: "take-lock" }
  /** Reads where the module is: reported as `record`. */
  | { readonly do: "read-record" }
  /** Opens the database without a second check of the file. */
  | { readonly do: "open-store" }
  /** Reads the cursors, and begins to subscribe and to relay. Tries for ever; never fails. */
  | { readonly do: "join-bus" };

export type TaskName = Task["do"];

/** What is done beside, and not waited for. */
export type Notice =
  /** Has calls wait from now on, those of this process and those that come by its door. */
  | { readonly do: "close-gate" }
  /** Lets calls go, those that waited first: to the module in this process, or to where it is. */
  | { readonly do: "turn"; readonly placement: Placement; readonly here: boolean }
  /** Makes this process warm, and answers an `offer` with `ready`, or with why not. */
  | { readonly do: "warm-up"; readonly generation: number }
  /** Answers an `offer`, or a `tell`: undefined is yes, the other words are why not. */
  | {
      readonly do: "reply";
      readonly to: "offer" | "tell";
      readonly generation: number;
      readonly refusal: string | undefined;
    }
  /** Tells all processes of this deployment where the module is. May be lost. */
  | { readonly do: "announce"; readonly placement: Placement }
  /** Tells who asked for the move what came of it: undefined, or why not. */
  | { readonly do: "answer"; readonly refusal: string | undefined }
  /** Sends `woken` after this time. There is one such timer: a later one takes its place. */
  | { readonly do: "wake"; readonly afterMs: number }
  /** Commits and answers nothing any more, and ends this process, for its file is another's. */
  | { readonly do: "end"; readonly reason: string };

export type Action = Task | Notice;

export type Message =
  | { readonly is: "done"; readonly task: TaskName }
  | { readonly is: "failed"; readonly task: TaskName; readonly reason: string }
  | { readonly is: "record"; readonly placement: Placement }
  /** An operator wants the module to be elsewhere. */
  | { readonly is: "give"; readonly to: Seat }
  /** Another process asks whether this one is ready to have it. */
  | { readonly is: "offered"; readonly generation: number }
  /** Another process says that this one is named. */
  | { readonly is: "told"; readonly generation: number }
  /** Somebody says where the module is. */
  | { readonly is: "heard"; readonly placement: Placement }
  /** The lock's file was removed, and another has taken the lock. */
  | { readonly is: "lock-lost" }
  /** The time of `wake` is over, or there is some other reason to look. */
  | { readonly is: "woken" };

/** That the lock of the file has been free, though somebody else is named. */
export interface Absence {
  readonly generation: number;
  readonly sinceMs: number;
  /** How often since it was free the lock was held when it was tried. It may be another who just looks, and who has it for a moment. */
  readonly held: number;
}

/** Who holds the lock so many times in a row has come back. */
export const HELD_TRIES = 3;

/** Elsewhere: calls go there. */
export interface Away {
  readonly is: "away";
  readonly placement: Placement;
  /** Undefined where the owner is there, as far as is known. */
  readonly absence: Absence | undefined;
}

/** On the way to have it, or to learn that it is another's; also back, when a move is given up. */
export interface Taking {
  readonly is: "taking";
  readonly placement: Placement;
  readonly absence: Absence | undefined;
  /** `pause`: the lock is another's, though this place is named. */
  readonly task:
    | "prepare"
    | "take-lock"
    | "look"
    | "pause"
    | "read-record"
    | "write-record"
    | "open-store"
    | "join-bus"
    | "free-lock";
  /** Who told this place that it is named is waiting for an answer. */
  readonly told: number | undefined;
  /** Why it comes to nothing. */
  readonly refusal: string | undefined;
}

/** Here, with the store open and the lock held. */
export interface Serving {
  readonly is: "serving";
  readonly placement: Placement;
}

/** On its way out. The lock is held up to the task `free-lock`, the store open up to `close-store`. */
export interface Giving {
  readonly is: "giving";
  readonly placement: Placement;
  /** Where it will be when this has been written. */
  readonly next: Placement;
  readonly task: GivingTask;
  /** Undefined while the gate is open. */
  readonly closedAtMs: number | undefined;
}

export type GivingTask =
  | "offer"
  | "checkpoint"
  | "leave-bus"
  | "hand-on-waits"
  | "finish-calls"
  | "close-store"
  | "write-record"
  | "free-lock"
  | "tell";

/** Ends, since the file is another's. */
export interface Ended {
  readonly is: "ended";
  readonly placement: Placement;
}

export type State = Away | Taking | Serving | Giving | Ended;

/** What a message leads to. */
export interface Next {
  readonly state: State;
  /** In this order. */
  readonly actions: readonly Action[];
}
