import { ENVIRONMENT_PROBLEMS, isProblem, Problem } from "../base/problem.ts";

/**
 * True when an error tells of the environment (disk, lock, a store that closes) and not of the work: the same work may succeed
 * later. Knows the problems that engines make of their own errors, and what is caused by one.
 */
export function isEnvironmentFault(error: unknown): boolean {
  if (isProblem(error) && ENVIRONMENT_PROBLEMS.has(error.code)) return true;
  return error instanceof Error && isEnvironmentFault(error.cause);
}

/** The problem that callers see where there is no space. */
export function storageFull(cause: unknown): Problem {
  return new Problem("storage-full", "There is no space left to store this.", { cause });
}

/** The problem that callers see when a write failed, and nobody knows what became of it. */
export function mayHaveHappened(cause: unknown): Problem {
  return new Problem("dependency-unavailable", "The store cannot write now; this may or may not have happened.", {
    retryAfterSeconds: 1,
    extensions: { outcome: "unknown" },
    cause,
  });
}

/** The problem that callers see when a write failed of which nothing is left. */
export function cannotWrite(cause: unknown): Problem {
  return new Problem("dependency-unavailable", "The store cannot write now.", { retryAfterSeconds: 1, cause });
}

/** The problem that callers see when a read failed. */
export function cannotRead(cause: unknown): Problem {
  return new Problem("dependency-unavailable", "The store cannot be read now.", { retryAfterSeconds: 1, cause });
}

/** The problem that callers see when what came before them took too long; of theirs nothing was begun. */
export function isOverloaded(cause: unknown): Problem {
  return new Problem("overloaded", "More waits for the store than it does in time.", { retryAfterSeconds: 1, cause });
}

/** The problem that callers see once a store closes. */
export function isClosing(): Problem {
  return new Problem("draining", "This store is closing.");
}
