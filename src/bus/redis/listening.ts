import type { Redis } from "ioredis";
import type { Clock } from "../../base/clock.ts";
import type { Outage } from "../../base/outage.ts";

/** How soon to try again to listen; longer than a command may take. */
const AGAIN_MS = 2_000;

export interface ListeningOptions {
  /** A connection of its own: one that has subscribed can do nothing else. */
  readonly connection: Redis;
  /** Those that somebody listens to by now. */
  channels(): readonly string[];
  deliver(text: string): void;
  readonly outage: Outage;
  readonly clock: Clock;
}

/**
 * Listens to channels whenever there is a connection. What keeps it from that may pass while it stays connected.
 * @returns to be called when there are more
 */
export function listenToChannels({ connection, channels, deliver, outage, clock }: ListeningOptions): () => void {
  let cancel = () => {};
  const subscribe = () => {
    cancel();
    const wanted = channels();
    if (connection.status !== "ready" || wanted.length === 0) return;
    const cancelAgain = clock.after(AGAIN_MS, subscribe);
    cancel = cancelAgain;
    connection.subscribe(...wanted).then(() => {
      cancelAgain();
      outage.worked();
    }, outage.failed);
  };
  connection.on("ready", subscribe);
  connection.on("message", (_channel, text) => deliver(text));
  return subscribe;
}
