import ee from "eventemitter2";
import type { Logger } from "pino";
import { z } from "zod";

const { EventEmitter2 } = ee;

/** The listeners of this process. */
export interface Broadcasts {
  /** See `Bus.onBroadcast`. */
  on(topic: string, listener: (message: unknown) => void): () => void;
  hasListeners(topic: string): boolean;
  /** Those that somebody listens to. */
  topics(): readonly string[];
  /** Tells the listeners; what one of them throws harms nobody. */
  deliver(topic: string, message: unknown): void;
  /** Does so with what `writeBroadcast` has written; anything else, whoever sent it, is left out. */
  deliverText(text: string): void;
}

const written = z.tuple([z.string(), z.unknown()]);

/** A message to a topic, as text for another process. */
export function writeBroadcast(topic: string, message: unknown): string {
  return JSON.stringify([topic, message]);
}

export function createBroadcasts(logger: Logger): Broadcasts {
  // A topic may have any name, also one that the emitter would throw for.
  const emitter = new EventEmitter2({ maxListeners: 0, ignoreErrors: true });
  const deliver = (topic: string, message: unknown) => void emitter.emit(topic, message);
  return {
    on(topic, listener) {
      const guarded = (message: unknown) => {
        try {
          listener(message);
        } catch (error) {
          logger.warn({ err: error, topic }, "A listener to a broadcast failed");
        }
      };
      emitter.on(topic, guarded);
      return () => emitter.off(topic, guarded);
    },
    topics: () => emitter.eventNames().map(String),
    hasListeners: (topic) => emitter.listenerCount(topic) > 0,
    deliver,
    deliverText(text) {
      try {
        deliver(...written.parse(JSON.parse(text)));
      } catch (error) {
        logger.debug({ err: error }, "A broadcast that nobody can read was left out");
      }
    },
  };
}
