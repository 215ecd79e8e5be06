import { DatabaseError } from "pg";

/**
 * What an error tells of the environment, by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html) or the driver's
 * own words:
 *
 * - `conflict`: others were in the way; the same unit of work may succeed at once
 * - `lost`: the connection is gone, or none could be made
 * - `full`: there is no space
 * - `environment`: anything else that no change to the work would cure
 */
export type Fault = "conflict" | "lost" | "full" | "environment";

/** serialization_failure, deadlock_detected. */
const CONFLICT = /^40(001|P01)$/;

/** Connections that end. */
const LOST = /^(08|57P0[1235]|25P03)/;

/** Newer code has changed a table: a new connection makes its plans anew. */
const USELESS_PLAN = /^cached plan must not change/;

/** disk_full. */
const FULL = /^53100$/;

/**
 * No resources, an operator's or the system's doing, a lock or an answer that did not come in time, a server that only reads, a role or
 * database that is not there any more, and tables and columns that newer code has changed.
 */
const ENVIRONMENT = /^(53|55P03|57|58|F0|XX|25006|28|3D|3F|42P01|42703|42501)/;

/** What the driver says of a connection that is gone, none of which has a code. */
const GONE = /^(Connection terminated|Client (has encountered|was closed)|Query read timeout)/;

/** There is no connection, for whatever reason. */
export class NoConnection extends Error {
  override readonly name = "NoConnection";
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
  return error instanceof NoConnection || GONE.test(error.message) || "syscall" in error ? "lost" : undefined;
}

/** Whether the server has said of a COMMIT that it did not happen; all else leaves that open. */
export function isRefusedCommit(error: unknown): boolean {
  return error instanceof DatabaseError && error.severity === "ERROR";
}

/** True for what a transaction that only reads is told when it writes. */
export function isWriteOfReader(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === "25006";
}
