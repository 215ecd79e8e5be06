import { createDeletionClock } from "../../../base/deletion-clock.ts";
import { Problem } from "../../../base/problem.ts";
import type { Claim } from "../../claim.ts";
import { sql } from "../../sql.ts";
import type { Answers, Store } from "../../store.ts";
import type { Unit, Work } from "../../unit.ts";
import type { Statements } from "./statements.ts";

/** How long a finished answer is kept for retries. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** Answers deleted in one unit of work. */
const EXPIRE_ROWS = 1_000;

export interface AnswersOptions {
  readonly statements: Statements;
  /** See `createSettledClock`: an answer that goes too early lets a retry do its work again. */
  readonly settledNow: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets. */
  readonly monotonicMs: () => number;
  readonly write: Store["write"];
}

/**
 * Idempotent answers: finished ones in the database, running ones in memory, since one process owns a module. Should
 * two overlap for a moment, the table's key still lets only one of them commit.
 */
export class KeptAnswers implements Answers {
  readonly #options: AnswersOptions;
  readonly #deletionNow: () => number;
  /** Fingerprints of what runs now, by principal and key. */
  readonly #running = new Map<string, string>();

  constructor(options: AnswersOptions) {
    this.#options = options;
    const { statements, settledNow, monotonicMs } = options;
    const newest = statements.get(
      sql<{ keptAtMs: number }>`SELECT kept_at_ms AS "keptAtMs" FROM answers ORDER BY id DESC LIMIT 1`,
    );
    this.#deletionNow = createDeletionClock(settledNow, monotonicMs, newest?.keptAtMs ?? 0);
  }

  async once<T extends object>(claim: Claim | undefined, work: () => Promise<T>): Promise<T & { replayed?: true }> {
    if (claim === undefined) return work();
    const slot = `${claim.principal}\n${claim.key}`;
    const running = this.#running.get(slot);
    if (running !== undefined) {
      requireSame(claim, running);
      throw inProgress();
    }
    const kept = this.#find(claim);
    if (kept !== undefined) {
      requireSame(claim, kept.fingerprint);
      return { ...(JSON.parse(kept.answer) as T), replayed: true };
    }
    this.#running.set(slot, claim.fingerprint);
    try {
      return await work();
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

  /** Writes an answer in the running transaction. @throws Problem request-in-progress when another process was first */
  keep({ principal, key, fingerprint }: Claim, answer: unknown, person: string | null = null): void {
    const { statements, settledNow } = this.#options;
    statements.run(
      sql`DELETE FROM answers WHERE principal = ${principal} AND key = ${key} AND kept_at_ms <= ${this.#expiredAtMs()}`,
    );
    const kept = statements.run(
      sql`INSERT INTO answers (principal, key, fingerprint, answer, kept_at_ms, person)
        VALUES (${principal}, ${key}, ${fingerprint}, ${JSON.stringify(answer)}, ${settledNow()}, ${person})
        ON CONFLICT (principal, key) DO NOTHING`,
    );
    if (kept === 0) throw inProgress();
  }

  /** Deletes, in the running transaction, the answers to this person and those that tell of them. */
  forget(person: string): void {
    this.#options.statements.run(sql`DELETE FROM answers WHERE principal = ${person} OR person = ${person}`);
  }

  #find({ principal, key }: Claim): { readonly fingerprint: string; readonly answer: string } | undefined {
    return this.#options.statements.get(
      sql<{ fingerprint: string; answer: string }>`SELECT fingerprint, answer FROM answers
        WHERE principal = ${principal} AND key = ${key} AND kept_at_ms > ${this.#expiredAtMs()}`,
    );
  }

  #expiredAtMs(): number {
    return this.#deletionNow() - KEPT_MS;
  }
}

function* expireSome(unit: Unit, expiredAtMs: number): Work<number> {
  return yield* unit.run(
    sql`DELETE FROM answers WHERE kept_at_ms <= ${expiredAtMs} AND id IN (SELECT id FROM answers ORDER BY id LIMIT ${EXPIRE_ROWS})`,
  );
}

function requireSame(claim: Claim, fingerprint: string): void {
  if (claim.fingerprint === fingerprint) return;
  throw new Problem("idempotency-key-reused", "This Idempotency-Key came with another request before.");
}

function inProgress(): Problem {
  return new Problem("request-in-progress", "The first request with this Idempotency-Key is still running.");
}
