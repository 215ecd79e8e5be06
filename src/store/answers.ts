import { isProblem, Problem } from "../base/problem.ts";
import type { Claim } from "../contract/claim.ts";
import { isEnvironmentFault } from "./environment-fault.ts";
import { sql } from "./sql.ts";
import type { Answers, Store } from "./store.ts";
import type { Unit, Work } from "./unit.ts";

/** How long a finished answer is kept for retries. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

interface Kept {
  readonly id: number;
  readonly fingerprint: string;
  /** None where the request was refused. */
  readonly answer: string | null;
  readonly keptAtMs: number;
}

/** A request that runs in this process. */
interface Attempt {
  readonly fingerprint: string;
  /** The row of an earlier refusal that this attempt has seen, and may replace. */
  readonly refusedBefore: number | null;
}

/** How far apart the clocks of processes may be before one who asks again after a refusal is told to ask once more. */
const CLOCKS_APART_MS = 5;

/** Answers deleted in one unit of work. */
const EXPIRE_ROWS = 1_000;

/** When the newest answer was kept or refused: so late it is for certain. */
export const NEWEST_ANSWER = sql<{
  keptAtMs: number;
}>`SELECT ABS(kept_at_ms) AS "keptAtMs" FROM answers ORDER BY id DESC LIMIT 1`;

export interface AnswersOptions extends Pick<Store, "read" | "write"> {
  /** See `createSettledClock`. */
  readonly settledNow: () => number;
  /** See `createDeletionClock`: an answer that goes too early lets a retry do its work again. */
  readonly deletionNow: () => number;
}

/**
 * Idempotent answers, in a table beside the module's own. Its key decides who was first, in the unit of work that makes the change;
 * what runs in this process is known in memory, too, so that nobody does the work of a request to hear that another does it.
 *
 * A refusal takes the place of an answer. Its time is negative: as old as that, older code which runs beside this while replicas are replaced takes it for
 * an answer that is kept no longer.
 */
export class KeptAnswers implements Answers {
  readonly #options: AnswersOptions;
  /** What runs here now, by principal and key. */
  readonly #running = new Map<string, Attempt>();

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  async once<T extends object>(
    claim: Claim | undefined,
    work: () => Promise<T>,
    askedAt: number = performance.now(),
  ): Promise<T & { replayed?: true }> {
    if (claim === undefined) return work();
    const found = await this.#find(claim);
    if (found !== undefined && this.#isRefusedSince(found, askedAt)) throw inProgress();
    const kept = replay<T>(claim, found);
    if (kept !== undefined) return kept;
    const slot = slotOf(claim);
    const running = this.#running.get(slot);
    if (running !== undefined) {
      requireSame(claim, running.fingerprint);
      throw inProgress();
    }
    this.#running.set(slot, { fingerprint: claim.fingerprint, refusedBefore: found?.id ?? null });
    try {
      return await work();
    } catch (error) {
      if (isEnvironmentFault(error)) throw error;
      if (!isProblem(error, "request-in-progress")) await this.#refuse(claim);
      // Another may have been first, whatever this one failed for: its work was undone, and there is an answer.
      const first = replay<T>(claim, await this.#find(claim));
      if (first === undefined) throw error;
      return first;
    } finally {
      this.#running.delete(slot);
    }
  }

  async expire(): Promise<number> {
    for (let total = 0; ; ) {
      const expired = await this.#options.write((unit) => expireSome(unit, this.#expiredAtMs()));
      total += expired;
      if (expired < EXPIRE_ROWS) return total;
    }
  }

  /** Writes an answer. @throws Problem request-in-progress when another was first */
  *keep(unit: Unit, { principal, key, fingerprint }: Claim, answer: unknown, person: string | null = null): Work<void> {
    const { refusedBefore = null } = this.#running.get(slotOf({ principal, key })) ?? {};
    yield* unit.run(
      sql`DELETE FROM answers WHERE principal = ${principal} AND key = ${key}
        AND (kept_at_ms BETWEEN 0 AND ${this.#expiredAtMs()} OR id = ${refusedBefore})`,
    );
    const kept = yield* unit.run(
      sql`INSERT INTO answers (principal, key, fingerprint, answer, kept_at_ms, person)
        VALUES (${principal}, ${key}, ${fingerprint}, ${JSON.stringify(answer)}, ${this.#options.settledNow()}, ${person})
        ON CONFLICT (principal, key) DO NOTHING`,
    );
    if (kept === 0) throw inProgress();
  }

  /** Deletes the answers to this person and those that tell of them. */
  *forget(unit: Unit, person: string): Work<void> {
    yield* unit.run(sql`DELETE FROM answers WHERE principal = ${person} OR person = ${person}`);
  }

  /**
   * Whoever is told no may count on it: an earlier attempt that still runs in another process, stopped perhaps, finds the key taken when it
   * comes to its end. Who tries again later has seen this row, and puts his answer in its place.
   */
  async #refuse({ principal, key, fingerprint }: Claim): Promise<void> {
    const [refusedAtMs, expiredAtMs] = [-this.#options.settledNow(), this.#expiredAtMs()];
    await this.#options.write(function* (unit) {
      yield* unit.run(
        sql`DELETE FROM answers WHERE principal = ${principal} AND key = ${key} AND kept_at_ms <= ${expiredAtMs}`,
      );
      yield* unit.run(
        sql`INSERT INTO answers (principal, key, fingerprint, answer, kept_at_ms)
          VALUES (${principal}, ${key}, ${fingerprint}, ${"null"}, ${refusedAtMs}) ON CONFLICT (principal, key) DO NOTHING`,
      );
    });
  }

  #find({ principal, key }: Claim): Promise<Kept | undefined> {
    return this.#options.read((reading) =>
      reading.get(
        sql<Kept>`SELECT id, fingerprint, kept_at_ms AS "keptAtMs", CASE WHEN kept_at_ms > 0 THEN answer END AS answer FROM answers
          WHERE principal = ${principal} AND key = ${key} AND kept_at_ms NOT BETWEEN 0 AND ${this.#expiredAtMs()}`,
      ),
    );
  }

  /** Whether a request from then was on its way, stopped perhaps, when its key was refused to another. */
  #isRefusedSince({ keptAtMs }: Kept, askedAt: number): boolean {
    const askedAtMs = this.#options.settledNow() - (performance.now() - askedAt);
    return keptAtMs < 0 && askedAtMs + CLOCKS_APART_MS < -keptAtMs;
  }

  #expiredAtMs(): number {
    return this.#options.deletionNow() - KEPT_MS;
  }
}

function* expireSome(unit: Unit, expiredAtMs: number): Work<number> {
  return yield* unit.run(
    sql`DELETE FROM answers WHERE ABS(kept_at_ms) <= ${expiredAtMs} AND id IN (SELECT id FROM answers ORDER BY id LIMIT ${EXPIRE_ROWS})`,
  );
}

/** @returns undefined where there is none */
function replay<T extends object>(claim: Claim, kept: Kept | undefined): (T & { replayed: true }) | undefined {
  if (typeof kept?.answer !== "string") return undefined;
  requireSame(claim, kept.fingerprint);
  return { ...(JSON.parse(kept.answer) as T), replayed: true };
}

function slotOf({ principal, key }: Pick<Claim, "principal" | "key">): string {
  return `${principal}\n${key}`;
}

function requireSame(claim: Claim, fingerprint: string): void {
  if (claim.fingerprint === fingerprint) return;
  throw new Problem("idempotency-key-reused", "This Idempotency-Key came with another request before.");
}

function inProgress(): Problem {
  return new Problem("request-in-progress", "The first request with this Idempotency-Key is still running.");
}
