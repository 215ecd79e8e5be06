import ee from "eventemitter2";
import type { Logger } from "pino";

const { EventEmitter2 } = ee;

/** The listeners of this process. */
export interface Broadcasts {
  /** See `Bus.onBroadcast`. */
  on(topic: string, listener: (message: unknown) => void): () => void;
  hasListeners(topic: string): boolean;
  /** Tells the listeners; what one of them throws harms nobody. */
  deliver(topic: string, message: unknown): void;
}

export function createBroadcasts(logger: Logger): Broadcasts {
  const emitter = new EventEmitter2({ maxListeners: 0 });
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
    hasListeners: (topic) => emitter.listenerCount(topic) > 0,
    deliver: (topic, message) => emitter.emit(topic, message),
  };
}
