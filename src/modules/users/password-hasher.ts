import { availableParallelism } from "node:os";
import type { Piscina } from "piscina";
import { Problem } from "../../contract/problem.ts";
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
   * Whether `hash` is that of the password. Without a hash it takes the same time and is false, so that nobody
   * learns by the clock who has an account.
   * @throws Problem overloaded when too many passwords wait already
   */
  matches(password: string, hash: string | undefined): Promise<boolean>;
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
  const dummyHash = `$2b$${String(cost).padStart(2, "0")}$${".".repeat(53)}`;
  let pool: Promise<Piscina> | undefined;
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
      pool ??= createPool(threads);
      return await (await pool).run(task, { name });
    } finally {
      pending--;
    }
  }

  return {
    hash: (password) => run("hash", { password, cost }),
    async matches(password, hash) {
      const same = await run("matches", { password, hash: hash ?? dummyHash });
      return same && hash !== undefined;
    },
    stop: async () => (await pool)?.destroy(),
  };
}

async function createPool(maxThreads: number): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  const filename = new URL("./password-worker.ts", import.meta.url).href;
  return new Piscina({ filename, minThreads: 1, maxThreads, idleTimeout: 30_000 });
}
