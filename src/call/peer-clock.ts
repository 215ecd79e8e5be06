/**
 * Milliseconds since 1970 as this process took them when it started, counted by the monotonic clock from then on: comparable
 * between processes, and never set back or ahead.
 */
export function processTimeMs(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Milliseconds that a caller still waits, at most, who waited so long when it asked. Time that the request has spent in a buffer
 * has passed, too: that shows where the caller knew our time.
 * @param untilMs when it stops waiting, in our time, if it knew
 */
export function timeLeft(timeoutMs: number, untilMs: number | undefined): number {
  return untilMs === undefined ? timeoutMs : Math.min(timeoutMs, untilMs - processTimeMs());
}

/** What is known of a neighbour's `processTimeMs` from the answers it has given. */
export interface PeerClock {
  /**
   * Takes its time as an answer has told it, which was read some time between the request and the answer (F. Cristian,
   * "Probabilistic clock synchronization", 1989).
   */
  note(peerMs: number, sentAtMs: number, receivedAtMs: number): void;
  /** A moment of ours in its time, never later than it is; undefined while it has told nothing. */
  translate(ownMs: number): number | undefined;
  /** The same, never earlier than it is. */
  translateLatest(ownMs: number): number | undefined;
}

/** Beyond this the bounds say too little. */
const LARGEST_ERROR_MS = 200;

export function createPeerClock(): PeerClock {
  // Between these lies what its clock is ahead of ours.
  let least = Number.NEGATIVE_INFINITY;
  let most = Number.POSITIVE_INFINITY;
  return {
    note(peerMs, sentAtMs, receivedAtMs) {
      const [from, to] = [peerMs - receivedAtMs, peerMs - sentAtMs];
      if (to - from > LARGEST_ERROR_MS) return;
      const isAnother = from > most || to < least; // it has started anew meanwhile
      least = isAnother ? from : Math.max(least, from);
      most = isAnother ? to : Math.min(most, to);
    },
    translate: (ownMs) => (Number.isFinite(least) ? ownMs + least : undefined),
    translateLatest: (ownMs) => (Number.isFinite(most) ? ownMs + most : undefined),
  };
}
