/** Whether a call that was not answered in time may have happened, or has not and will not. */
export type Outcome = "unknown" | "not-begun";

/** How far a call has come, for whoever has to tell its caller that there is no answer. */
export interface Progress {
  /** Whether it has passed its last check of the time: from then on it may happen, whatever its caller is told. */
  begun: boolean;
  /** Tells the caller that it may be about to begin: once this process stands still, nobody else can. */
  readonly announce?: () => void;
  /** Whether the caller has gone. */
  readonly isGone?: () => boolean;
}
