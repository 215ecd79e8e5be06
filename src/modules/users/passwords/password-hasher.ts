import { availableParallelism } from "node:os";
import { getRounds } from "bcryptjs";
import { Problem } from "../../../base/problem.ts";
import { ThreadPool } from "../../../base/thread-pool.ts";
import type * as worker from "./password-worker.ts";

export interface PasswordHasherOptions {
  /** The cost of bcrypt, as a power of two. */
  readonly cost: number;
  /** Threads at most. */
  readonly threads?: number;
  /** Passwords that may wait for each thread; one more is refused. */
  readonly queuePerThread?: number;
}

export interface PasswordHasher {
  /** @throws Problem overloaded when too many passwords wait already */
  hash(password: string): Promise<string>;
  /**
   * Whether `hash` is that of the password. Without a hash it is false; what is false takes the same time whatever
   * the hash and its cost, so that nobody learns by the clock who has an account.
   * @param highestCost the highest cost of any hash that there is
   * @throws Problem overloaded when too many passwords wait already
   */
  matches(password: string, hash: string | undefined, highestCost: number): Promise<boolean>;
  /** Whether the hash has the cost that new ones get. */
  isUpToDate(hash: string): boolean;
  /** Ends the threads; what still runs fails. */
  stop(): Promise<void>;
}

/** Hashes with bcrypt in worker threads, which start with the first password and end when they have been idle. */
export function createPasswordHasher({
  cost,
  threads = Math.min(4, availableParallelism()),
  queuePerThread = 16,
}: PasswordHasherOptions): PasswordHasher {
  const limit = threads * (1 + queuePerThread);
  const pool = new ThreadPool({
    worker: new URL("./password-worker.ts", import.meta.url),
    minThreads: 1,
    maxThreads: threads,
  });
  let pending = 0;

  async function run<Name extends keyof typeof worker>(
    name: Name,
    task: Parameters<(typeof worker)[Name]>[0],
  ): Promise<ReturnType<(typeof worker)[Name]>> {
    if (pending >= limit) {
      throw new Problem("overloaded", "Too many passwords are being checked at once.", { retryAfterSeconds: 1 });
    }
    pending++;
    try {
      return await pool.run(task, name);
    } finally {
      pending--;
    }
  }

  return {
    hash: (password) => run("hash", { password, cost }),
    async matches(password, hash, highestCost) {
      const atLeast = Math.max(cost, highestCost);
      const same = await run("matches", { password, hash: hash ?? nobodysHash(atLeast), cost: atLeast });
      return same && hash !== undefined;
    },
    isUpToDate: (hash) => getRounds(hash) === cost,
    stop: () => pool.stop(),
  };
}

/** A hash that no password has. */
function nobodysHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(53)}`;
}
