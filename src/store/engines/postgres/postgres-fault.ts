import { setTimeout as sleep } from "node:timers/promises";
import { DatabaseError } from "pg";
import { reasonOf } from "../../refusal.ts";

/**
 * What an error tells of the environment, by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) or the driver's
 * own words:
 *
 * - `conflict`: others were in the way; the same unit of work may succeed at once
 * - `lost`: the connection is gone, or none could be made
 * - `busy`: all connections that there may be were in use for too long
 * - `full`: there is no space
 * - `environment`: anything else that no change to the work would cure
 */
export type Fault = "conflict" | "lost" | "busy" | "full" | "environment";

/** serialization_failure, deadlock_detected. */
const CONFLICT = /^40(001|P01)$/;

/** Connections that end, and such as lead to a server that only reads: another one may be written to now. */
const LOST = /^(08|57P0[1235]|25P03|25006)/;

/** Newer code has changed a table: a new connection makes its plans anew. */
const USELESS_PLAN = /^cached plan must not change/;

/** lock_not_available: it was waited for, but not for longer. */
const LOCKED = "55P03";

/** disk_full. */
const FULL = /^53100$/;

/**
 * No resources, an operator's or the system's doing, a lock or an answer that did not come in time, a role or
 * database that is not there any more, and tables and columns that newer code has changed.
 */
const ENVIRONMENT = /^(53|55P03|57|58|F0|XX|28|3D|3F|42P01|42703|42501)/;

/** What the driver says of a connection that is gone, none of which has a code. */
const GONE = /^(Connection terminated|Client (has encountered|was closed)|Query read timeout)/;

/** What its pool says when none of its connections came back in time. */
const BUSY = /^timeout exceeded when trying to connect/;

/** How often something is begun where others were in its way, one of whom gets through each time. */
export const CONFLICT_TRIES = 20;

/** What the driver says when the server asks for a password, and it was given none. */
const NO_PASSWORD = /client password must be /;

/** There is no connection, for whatever reason. */
export class NoConnection extends Error {
  override readonly name = "NoConnection";
}

/** Why a connection could not be made, in a line. A name with several addresses fails for each. */
export function connectionReason(error: unknown): string {
  const reason = reasonOf(error instanceof AggregateError ? error.errors[0] : error);
  if (!NO_PASSWORD.test(reason)) return reason;
  return "the server asks for a password, and there is none: put it into the URL, or into the file that DATABASE_PASSWORD_FILE names";
}

/** Undefined for an error of the work itself, such as a constraint that it breaks. */
export function faultOf(error: unknown): Fault | undefined {
  if (error instanceof DatabaseError) {
    const { code = "" } = error;
    if (CONFLICT.test(code)) return "conflict";
    if (LOST.test(code) || USELESS_PLAN.test(error.message)) return "lost";
    if (FULL.test(code)) return "full";
    return ENVIRONMENT.test(code) ? "environment" : undefined;
  }
  if (!(error instanceof Error)) return undefined;
  if (BUSY.test(error.message)) return "busy";
  return error instanceof NoConnection || GONE.test(error.message) || "syscall" in error ? "lost" : undefined;
}

/** Whether the server has said of a COMMIT that it did not happen; all else leaves that open. */
export function isRefusedCommit(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === "ERROR";
}

/** Whether others held what a statement would have locked: it can be tried again when all is let go. */
export function isInTheWay(error: unknown): boolean {
  return faultOf(error) === "conflict" || (error instanceof DatabaseError && error.code === LOCKED);
}

/** True for what a transaction that only reads is told when it writes. */
export function isWriteOfReader(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === "25006";
}

/**
 * Does something anew as long as others are in its way: a statement that is a transaction of its own, or several.
 * @throws whatever else it fails for; a conflict after 20 times
 */
export async function despiteConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let failed = 0; ; ) {
    try {
      return await work();
    } catch (error) {
      failed += 1;
      if (faultOf(error) !== "conflict" || failed === CONFLICT_TRIES) throw error;
      await sleep(conflictPauseMs(failed));
    }
  }
}

/** How long to wait before the next time, the longer the more often it failed. */
export function conflictPauseMs(failed: number): number {
  return Math.random() * 2 ** Math.min(failed, 6);
}
