import type { Config } from "./config.ts";
import type { AdjustableLogger } from "./logger.ts";

type Level = Config["LOG_LEVEL"];

/** What the signal turns on, one after the other, before the level is again as it was set. */
const MORE: readonly Level[] = ["debug", "trace"];

/**
 * Changes the level of the log at each SIGUSR2: from the one that was set to debug, to trace, and back, so that a process
 * which behaves oddly can be looked into as it runs.
 */
export function changeLevelOnSignal({ logger, setLevel }: AdjustableLogger, configured: Level): void {
  const cycle = [configured, ...MORE.slice(MORE.indexOf(configured) + 1)];
  let at = 0;
  process.on("SIGUSR2", () => {
    at = (at + 1) % cycle.length;
    const level = cycle[at] ?? configured;
    const tell = () => logger.info(`SIGUSR2: the log's level is ${level}`);
    if (at === 0) tell(); // while it can still be read
    setLevel(level);
    if (at !== 0) tell();
  });
}
