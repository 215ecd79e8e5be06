import { availableParallelism } from "node:os";
import { getRounds } from "bcryptjs";
import { Problem } from "../../../base/problem.ts";
import { ThreadPool } from "../../../base/thread-pool.ts";
import { hash, matches } from "./password-worker.ts";

export interface PasswordHasherOptions {
  /** The cost of bcrypt, as a power of two. */
  readonly cost: number;
  /** Threads at most. */
  readonly threads?: number;
  /** Passwords that may wait for each thread; one more is refused. */
  readonly queuePerThread?: number;
}

/** Makes hashes of passwords, and compares. */
export interface PasswordHashing {
  /** @throws Problem overloaded when too many passwords wait already */
  hash(password: string): Promise<string>;
  /**
   * Whether `hash` is that of the password. Without a hash it is false; what is false takes the same time whatever
   * the hash and its cost, so that nobody learns by the clock who has an account.
   * @param highestCost the highest cost of any hash that there is
   * @throws Problem overloaded when too many passwords wait already
   */
  matches(password: string, hash: string | undefined, highestCost: number): Promise<boolean>;
}

export interface PasswordHasher extends PasswordHashing {
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

  async function run<T>(name: keyof Workers, task: unknown): Promise<T> {
    if (pending >= limit) {
      throw new Problem("overloaded", "Too many passwords are being checked at once.", { retryAfterSeconds: 1 });
    }
    pending++;
    try {
      return await pool.run<T>(task, name);
    } finally {
      pending--;
    }
  }

  return {
    ...hashingBy({ hash: (task) => run("hash", task), matches: (task) => run("matches", task) }, cost),
    isUpToDate: (hash) => getRounds(hash) === cost,
    stop: () => pool.stop(),
  };
}

/**
 * Hashes in the thread that asks, and holds it up: for a start, at which nobody else needs it, and a thread of its own would take as long as the
 * hash does, and 40 MB.
 */
export function hashHere(cost: number): PasswordHashing {
  return hashingBy({ hash, matches }, cost);
}

interface Workers {
  hash(...task: Parameters<typeof hash>): string | Promise<string>;
  matches(...task: Parameters<typeof matches>): boolean | Promise<boolean>;
}

function hashingBy(workers: Workers, cost: number): PasswordHashing {
  return {
    hash: async (password) => workers.hash({ password, cost }),
    async matches(password, hash, highestCost) {
      const atLeast = Math.max(cost, highestCost);
      const same = await workers.matches({ password, hash: hash ?? nobodysHash(atLeast), cost: atLeast });
      return same && hash !== undefined;
    },
  };
}

/** A hash that no password has. */
function nobodysHash(cost: number): string {
  return `$2b$${String(cost).padStart(2, "0")}$${".".repeat(53)}`;
}
