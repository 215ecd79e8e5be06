import { hash } from "node:crypto";

/** One use of an idempotency key. */
export interface Claim {
  /** Whose key it is. */
  readonly principal: string;
  readonly key: string;
  /** What was asked: the same key with another fingerprint is refused. */
  readonly fingerprint: string;
}

/**
 * The claim that a request with an idempotency key makes.
 * @param principal whose key it is
 * @param operation its name: one key is good for one request to one operation
 * @param key undefined when the caller gave none; then there is no claim
 * @param input the whole input; the order of members does not matter, and the member `idempotencyKey` is left out
 */
export function claimOf(
  principal: string,
  operation: string,
  key: string | undefined,
  input: Readonly<Record<string, unknown>>,
): Claim | undefined {
  if (key === undefined) return undefined;
  const { idempotencyKey: _, ...asked } = input;
  const fingerprint = hash("sha256", `${operation}\n${JSON.stringify(asked, sortMembers)}`, "base64url");
  return { principal, key, fingerprint };
}

/** A replacer for JSON.stringify: objects that are equal become the same text. */
function sortMembers(_member: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
