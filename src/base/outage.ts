import type { Logger } from "pino";
import type { Clock } from "./clock.ts";
import { isConsequence, reasonOf } from "./fault-reason.ts";

/** The least time between two lines about failures: what is away for long, or comes and goes, does not fill the log. */
const LINE_EVERY_MS = 20_000;

/** Whether something that others depend on works, as they find it. */
export interface Outage {
  failed(error: unknown): void;
  worked(): void;
  /** Why it failed last, undefined while it works. */
  reason(): string | undefined;
}

/** One of several ways to use something. */
export interface OutagePart extends Outage {
  /** It is not used in this way any more, whether it worked or not. */
  end(): void;
}

/** The same of something that is used in several ways: it works when it works in all of them. */
export interface SharedOutage extends Outage {
  /** One way to use it: that another works says nothing of this one. */
  part(): OutagePart;
}

/**
 * Tells the log of changes, in few lines.
 * @param what the subject of the lines, such as `Redis`
 */
export function createOutage({
  what,
  logger,
  clock,
}: {
  readonly what: string;
  readonly logger: Logger;
  readonly clock: Clock;
}): SharedOutage {
  const failing = new Map<object, { readonly text: string; readonly isCause: boolean }>();
  let lastLineMs = Number.NEGATIVE_INFINITY;
  let told = false;

  /** Of several the cause: what followed from it says less. */
  function reason(): string | undefined {
    const all = [...failing.values()];
    return (all.find(({ isCause }) => isCause) ?? all[0])?.text;
  }

  function part(): OutagePart {
    const self = {};
    let isUsed = true;
    return {
      failed(error) {
        if (!isUsed) return;
        const isCause = !isConsequence(error);
        if (isCause || !failing.has(self)) failing.set(self, { text: reasonOf(error), isCause });
        if (clock.now() - lastLineMs < LINE_EVERY_MS) return;
        lastLineMs = clock.now();
        told = true;
        logger.warn({ reason: reason() }, `${what} does not work; it is tried again until it does`);
      },
      worked() {
        if (!failing.delete(self) || failing.size > 0) return;
        if (told) logger.info(`${what} works again`);
        told = false;
      },
      reason: () => failing.get(self)?.text,
      end() {
        isUsed = false;
        failing.delete(self);
      },
    };
  }

  return { ...part(), part, reason };
}
