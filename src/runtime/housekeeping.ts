import type { Logger } from "pino";
import type { Store } from "../store/store.ts";

const EVERY_MS = 60 * 60 * 1_000;
const BOUND_LOGS_EVERY_MS = 10_000;

/**
 * Deletes kept answers that are too old to be asked for, now and every hour.
 * @returns the way to end it
 */
export function expireAnswers(stores: readonly Store[], logger: Logger): () => void {
  const expire = () => {
    for (const store of stores) {
      const work = async () => void (await store.answers.expire());
      store.lease("expire answers", work).catch((error: unknown) => {
        logger.warn(
          { err: error, module: store.name },
          "Old answers could not be deleted; that is tried again in an hour",
        );
      });
    }
  };
  expire();
  const timer = setInterval(expire, EVERY_MS).unref();
  return () => clearInterval(timer);
}

/**
 * Keeps the stores' files bounded while nobody writes.
 * @returns the way to end it
 */
export function boundLogs(stores: readonly Store[]): () => void {
  const timer = setInterval(() => {
    for (const store of stores) void store.boundLog();
  }, BOUND_LOGS_EVERY_MS).unref();
  return () => clearInterval(timer);
}
