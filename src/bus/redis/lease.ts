import type { Logger } from "pino";
import type { Clock } from "../../base/clock.ts";
import type { Outage } from "../../base/outage.ts";
import { NotYet, type Pace, repeat } from "../../base/pace.ts";
import type { Evaluate } from "./scripts.ts";

/** How long a holder that says nothing keeps its place, and how often it says something. */
const LEASE_MS = 4_000;
const RENEW_EVERY_MS = 1_000;

/** How long a place has to be free before one takes it that has met another who was alive: that one may just start again. */
const FREE_FOR_MS = 30_000;

/** How soon to look again while it is not known yet for whom. */
const LOOK_AGAIN_MS = 50;

/** Who holds a place; a key of another type, which is none of ours, stands for nobody. */
const HOLDER = "redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GET', KEYS[1])";

/**
 * Takes the place, or keeps it, also under a new name. Answers whether it is ours, and for how many milliseconds another holds it
 * still (−2 when nobody does).
 */
const CLAIM = `#!lua flags=allow-oom
local holder = ${HOLDER}
if holder == ARGV[1] or holder == ARGV[4] or (not holder and ARGV[3] == '1') then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return {1, 0}
end
return {0, redis.call('PTTL', KEYS[1])}
`;

const ANNOUNCE = `#!lua flags=allow-oom
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
`;

const FIND = `return ${HOLDER}`;

/** The others of its name, its replicas, go on: they have time to renew it before anybody else takes it. */
const RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end";

/** Thrown to whoever would use the place of another. */
export class NotHeld extends NotYet {
  override readonly name = "NotHeld";
}

/**
 * A place under a prefix of a Redis (Gray and Cheriton's leases, 1989): one holder at a time publishes and applies there, in as many
 * processes as have its name. A second one is kept out, and both are told.
 */
export interface Lease {
  /** Holds the place, or waits for it, until stopped; gives it free soon after. */
  run(): Promise<void>;
  isHeld(): boolean;
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
  readonly evaluate: Evaluate;
  readonly keyPrefix: string;
  /** The key that stands for the place. */
  readonly key: string;
  /** What holds it, in words: `database of orders`. */
  readonly what: string;
  /** Names the holder; undefined while that is not known, and nothing is taken then. */
  readonly holder: () => string | undefined;
  /** Whether others hold it together with this one, and go on when this one stops. */
  readonly isShared?: boolean;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly outage: Outage;
  readonly logger: Logger;
}

export function createLease(options: LeaseOptions): Lease {
  const { evaluate, keyPrefix, what, holder, isShared = false, pace, clock, outage, logger } = options;
  const holderKey = `${keyPrefix}${options.key}`;
  const rivalKey = `${holderKey}:rival`;
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  let heldAs = "";
  /** When the place of another ends, should nobody renew it. */
  let endsAtMs: number | undefined;
  // Once another was seen alive, until the place has been free for long.
  let isKeptOut = false;
  let freeSinceMs: number | undefined;
  let conflict: Conflict | undefined;

  async function step(): Promise<void> {
    const name = holder();
    if (name === undefined) return pace.sleep(LOOK_AGAIN_MS);
    const askedAtMs = clock.now();
    const mayTake = !isKeptOut || (freeSinceMs !== undefined && clock.now() - freeSinceMs >= FREE_FOR_MS);
    const claim = [name, String(LEASE_MS), mayTake ? "1" : "0", heldAs === "" ? name : heldAs];
    const [ours, leftMs] = (await evaluate(CLAIM, holderKey, ...claim)) as number[];
    if (ours === 1) await hold(name, askedAtMs);
    else await waitFor(name, leftMs ?? 0);
    await pace.wait(RENEW_EVERY_MS);
  }

  async function hold(name: string, sinceMs: number): Promise<void> {
    heldUntilMs = sinceMs + LEASE_MS;
    heldAs = name;
    isKeptOut = false;
    freeSinceMs = undefined;
    endsAtMs = undefined;
    const rival = await evaluate(FIND, rivalKey);
    tell(rival === null || rival === name ? undefined : { isKeptOut, detail: `another ${what} is kept out of Redis` });
  }

  async function waitFor(name: string, leftMs: number): Promise<void> {
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
      detail: `another ${what} uses this place in Redis; this one publishes and applies nothing`,
    });
    await evaluate(ANNOUNCE, rivalKey, name, String(LEASE_MS));
  }

  function tell(found: Conflict | undefined): void {
    const isNews = found?.detail !== conflict?.detail;
    conflict = found;
    if (!isNews) return;
    const shared = `the prefix ${keyPrefix} of this Redis`;
    if (found === undefined) logger.info(`No other ${what} uses ${shared} any more`);
    else logger.error(`${found.detail}. Two shops use ${shared}: give one of them a REDIS_PREFIX of its own`);
  }

  const isHeld = () => clock.now() < heldUntilMs;

  function requireHeld(): void {
    if (!isHeld()) throw new NotHeld(`this ${what} waits for its place in Redis`);
  }

  return {
    async run() {
      await repeat(step, { pace, onFailure: outage.failed, onSuccess: outage.worked });
      if (isShared || !isHeld()) return;
      await evaluate(RELEASE, holderKey, heldAs, String(2 * RENEW_EVERY_MS)).catch(() => undefined);
    },
    isHeld,
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
