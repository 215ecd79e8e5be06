import type { Logger } from "pino";
import type { Store } from "../store/store.ts";

const EVERY_MS = 60 * 60 * 1_000;
const BOUND_LOG_EVERY_MS = 10_000;

/**
 * Deletes kept answers that are too old to be asked for, now and every hour.
 * @returns the way to end it
 */
export function expireAnswers(store: Store, logger: Logger): () => void {
  const work = async () => void (await store.answers.expire());
  const expire = () => {
    store.lease("expire answers", work).catch((error: unknown) => {
      logger.warn(
        { err: error, module: store.name },
        "Old answers could not be deleted; that is tried again in an hour",
      );
    });
  };
  expire();
  const timer = setInterval(expire, EVERY_MS).unref();
  return () => clearInterval(timer);
}

/**
 * Keeps a store's file bounded while nobody writes.
 * @returns the way to end it
 */
export function boundLog(store: Store): () => void {
  const timer = setInterval(() => void store.boundLog(), BOUND_LOG_EVERY_MS).unref();
  return () => clearInterval(timer);
}
