import type { Answer } from "../../support/api.ts";

/** What earlier answers and calls had: by kind, such as `orders` or `cursor`. */
export class Memory {
  readonly #kinds = new Map<string, string[]>();

  /** Adds what may be of use later; of each kind so much that what is picked is often something recent. */
  remember(kind: string, value: unknown): void {
    if (typeof value !== "string" || value === "") return;
    const values = this.#kinds.get(kind) ?? [];
    this.#kinds.set(kind, values);
    if (!values.includes(value)) values.push(value);
    if (values.length > KEPT) values.shift();
  }

  /** @returns undefined when nothing of the kind is known yet */
  recall(kind: string, pick: number): string | undefined {
    const values = this.#kinds.get(kind) ?? [];
    return values[pick % Math.max(1, values.length)];
  }

  /** Takes all that an answer offers. @param tag whose operation it was */
  learn(tag: string, { headers, body }: Answer): void {
    this.remember("etag", headers.etag);
    if (typeof body !== "object" || body === null) return;
    const { id, data, user, refresh_token, next_cursor, token } = body as Readonly<Record<string, unknown>>;
    this.remember(tag, id);
    this.remember("refresh_token", refresh_token);
    this.remember("token", token);
    this.remember("cursor", next_cursor);
    for (const item of Array.isArray(data) ? data : []) this.remember(tag, (item as { id?: unknown }).id);
    if (typeof user === "object" && user !== null) {
      const { id: userId, email } = user as Readonly<Record<string, unknown>>;
      this.remember("users", userId);
      this.remember("email", email);
    }
  }
}

const KEPT = 30;

/** The kind of thing that a member names, so that an earlier one can stand there; undefined for mere values. */
export function kindOf(member: string, tag: string): string | undefined {
  return member === "id" ? tag : KINDS[member];
}

const KINDS: Readonly<Record<string, string>> = {
  user_id: "users",
  product_id: "products",
  cursor: "cursor",
  refresh_token: "refresh_token",
  email: "email",
  password: "password",
  current_password: "password",
  new_password: "password",
  "If-Match": "etag",
  "If-None-Match": "etag",
  "Idempotency-Key": "key",
};
