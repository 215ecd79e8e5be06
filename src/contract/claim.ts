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
 * @param input the whole input, whose member `idempotencyKey` is the key; the order of the other members does not matter
 * @returns undefined when there is no such key
 */
export function claimOf(
  principal: string | undefined,
  operation: string,
  { idempotencyKey: key, ...asked }: Readonly<Record<string, unknown>>,
): Claim | undefined {
  if (principal === undefined || key === undefined) return undefined;
  const fingerprint = hash("sha256", `${operation}\n${JSON.stringify(asked, sortMembers)}`, "base64url");
  return { principal, key: String(key), fingerprint };
}

/** A replacer for JSON.stringify: objects that are equal become the same text. */
function sortMembers(_member: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
