import type { SpanContext } from "@opentelemetry/api";
import type { Claim } from "./claim.ts";
import type { Progress } from "./progress.ts";

/** Who is calling, as a verified token says. */
export interface Principal {
  readonly id: string;
  readonly role: "customer" | "admin";
}

/** What travels with every call, in one process as between processes. Callers pass theirs on. */
export interface CallContext {
  readonly principal: Principal | null;
  /** The caller's own token, forwarded to whoever is called next. */
  readonly token: string | null;
  /** When the caller stops waiting, in milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** When the request came in that this call is made for, in milliseconds of `performance.now()`; if it is left out, that is now. */
  readonly askedAt?: number;
  readonly requestId: string;
  /** How far the call has come, for whoever called; made where it is served if it is left out. */
  readonly progress?: Progress;
  /** W3C trace context: the span that calls. */
  readonly trace: SpanContext;
}

/** A call of who has signed in, as its handler sees it. */
export interface SignedInContext extends CallContext {
  readonly principal: Principal;
  /**
   * Of an idempotent operation: the use of the caller's key, undefined if there is none. The handler runs once per claim, and its
   * unit of work is to keep the answer (`unit.keepAnswer`).
   */
  readonly claim: Claim | undefined;
}

/** Milliseconds left until the deadline, never below zero. */
export function remainingMs(ctx: CallContext): number {
  return Math.max(0, ctx.deadline - performance.now());
}
