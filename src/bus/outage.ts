import type { Logger } from "pino";
import type { Clock } from "./clock.ts";
import { isConsequence, reasonOf } from "./fault-reason.ts";

/** The least time between two lines about failures: what is away for long, or comes and goes, does not fill the log. */
const LINE_EVERY_MS = 20_000;

/** Whether something that others depend on works, as they find it; tells the log of changes, in few lines. */
export interface Outage {
  failed(error: unknown): void;
  worked(): void;
  /** Why it failed last, undefined while it works. */
  reason(): string | undefined;
}

/** @param what the subject of the lines, such as `Redis` */
export function createOutage({ what, logger, clock }: { what: string; logger: Logger; clock: Clock }): Outage {
  let reason: string | undefined;
  let lastLineMs = Number.NEGATIVE_INFINITY;
  let told = false;
  return {
    failed(error) {
      if (reason === undefined || !isConsequence(error)) reason = reasonOf(error); // the cause stays
      if (clock.now() - lastLineMs < LINE_EVERY_MS) return;
      lastLineMs = clock.now();
      told = true;
      logger.warn({ reason }, `${what} does not work; it is tried again until it does`);
    },
    worked() {
      if (reason === undefined) return;
      reason = undefined;
      if (told) logger.info(`${what} works again`);
      told = false;
    },
    reason: () => reason,
  };
}
