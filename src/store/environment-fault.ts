import { ENVIRONMENT_PROBLEMS, isProblem } from "../base/problem.ts";

/**
 * True when an error tells of the environment (disk, lock, a store that closes) and not of the work: the same work may succeed
 * later. Knows the problems that engines make of their own errors, and what is caused by one.
 */
export function isEnvironmentFault(error: unknown): boolean {
  if (isProblem(error) && ENVIRONMENT_PROBLEMS.has(error.code)) return true;
  return error instanceof Error && isEnvironmentFault(error.cause);
}
