import type { Redis } from "ioredis";
import type { Logger } from "pino";
import type { Clock } from "./clock.ts";
import type { Outage } from "./outage.ts";
import { type Pace, repeat } from "./pace.ts";
import { createScripts } from "./redis-scripts.ts";

/** How long a holder that says nothing keeps its place, and how often it says something. */
const LEASE_MS = 4_000;
const RENEW_EVERY_MS = 1_000;

/** How long a place has to be free before one takes it that has met another who was alive: that one may just start again. */
const FREE_FOR_MS = 30_000;

/**
 * Takes the place, or keeps it. Answers whether it is ours, and for how many milliseconds another holds it still (−2 when nobody
 * does).
 */
const CLAIM = `#!lua flags=allow-oom
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] or (not holder and ARGV[3] == '1') then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {1, 0}
end
return {0, redis.call('PTTL', KEYS[1])}
`;

const ANNOUNCE = `#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
`;

const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end";

/** Thrown to whoever would use the place of another. */
export class NotHeld extends Error {
  override readonly name = "NotHeld";
}

/**
 * A module's place under a prefix of a Redis (Gray and Cheriton's leases, 1989): one database of that module at a time publishes
 * and applies there. A second one, of another deployment or a copy of this one, is kept out, and both are told.
 */
export interface Lease {
  /** Holds the place, or waits for it, until stopped; gives it free then. */
  run(): Promise<void>;
  /** The same thing, which does nothing while the place is not ours. @returns methods that reject with NotHeld then */
  guard<T extends object>(target: T): T;
  /** Who is in the way of whom, undefined while nobody is. */
  conflict(): Conflict | undefined;
}

export interface Conflict {
  /** Whether it is this one that is kept out. */
  readonly isKeptOut: boolean;
  /** For a person to read. */
  readonly detail: string;
}

export interface LeaseOptions {
  readonly commands: Redis;
  readonly keyPrefix: string;
  readonly module: string;
  /** See `Store.seat`. */
  readonly seat: string;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly logger: Logger;
}

export function createLease(options: LeaseOptions): Lease {
  const { commands, keyPrefix, module, seat, pace, clock, outage, logger } = options;
  const holderKey = `${keyPrefix}holder:${module}`;
  const rivalKey = `${holderKey}:rival`;
  const evaluate = createScripts(commands);
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  /** When the place of another ends, should nobody renew it. */
  let endsAtMs: number | undefined;
  // Once another was seen alive, until the place has been free for long.
  let isKeptOut = false;
  let freeSinceMs: number | undefined;
  let conflict: Conflict | undefined;

  async function step(): Promise<void> {
    const askedAtMs = clock.now();
    const mayTake = !isKeptOut || (freeSinceMs !== undefined && clock.now() - freeSinceMs >= FREE_FOR_MS);
    const [ours, leftMs] = (await evaluate(CLAIM, holderKey, seat, String(LEASE_MS), mayTake ? "1" : "0")) as number[];
    if (ours === 1) await hold(askedAtMs);
    else await waitFor(leftMs ?? 0);
    await pace.wait(RENEW_EVERY_MS);
  }

  async function hold(sinceMs: number): Promise<void> {
    heldUntilMs = sinceMs + LEASE_MS;
    isKeptOut = false;
    freeSinceMs = undefined;
    endsAtMs = undefined;
    const rival = await commands.get(rivalKey);
    tell(
      rival === null || rival === seat
        ? undefined
        : { isKeptOut, detail: `another database of ${module} is kept out of Redis` },
    );
  }

  async function waitFor(leftMs: number): Promise<void> {
    heldUntilMs = Number.NEGATIVE_INFINITY;
    if (leftMs < 0) {
      freeSinceMs ??= clock.now();
      endsAtMs = undefined;
      return;
    }
    freeSinceMs = undefined;
    const endMs = clock.now() + leftMs;
    // The rest of one who has died just runs out.
    if (endsAtMs !== undefined && endMs - endsAtMs > RENEW_EVERY_MS / 2) isKeptOut = true;
    endsAtMs = endMs;
    if (!isKeptOut) return;
    tell({
      isKeptOut,
      detail: `another database of ${module} uses this place in Redis; this one publishes and applies nothing`,
    });
    await evaluate(ANNOUNCE, rivalKey, seat, String(LEASE_MS));
  }

  function tell(found: Conflict | undefined): void {
    const isNews = found?.detail !== conflict?.detail;
    conflict = found;
    if (!isNews) return;
    const shared = `the prefix ${keyPrefix} of this Redis`;
    if (found === undefined) logger.info(`${module} has ${shared} to itself again`);
    else logger.error(`${found.detail}. Two shops use ${shared}: give one of them a REDIS_PREFIX of its own`);
  }

  function requireHeld(): void {
    if (clock.now() >= heldUntilMs) throw new NotHeld(`${module} waits for its place in Redis`);
  }

  return {
    async run() {
      await repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked });
      if (clock.now() < heldUntilMs) await evaluate(RELEASE, holderKey, seat).catch(() => undefined);
    },
    guard(target) {
      const guarded = Object.entries(target).map(([name, method]) => [
        name,
        async (...args: readonly unknown[]) => {
          requireHeld();
          return method(...args);
        },
      ]);
      return Object.fromEntries(guarded);
    },
    conflict: () => conflict,
  };
}
