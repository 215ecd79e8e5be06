import type { z } from "zod";
import { newId } from "../../base/id.ts";
import { timestampOf } from "../../base/timestamp.ts";
import type { Principal } from "../../contract/context.ts";
import type { user } from "./contract.ts";

/** A user as others may see it. */
export type User = z.output<typeof user>;

/** A user as it is kept. */
export interface Account extends User {
  readonly password_hash: string;
}

/** A new account, with an id that is later than all that this process made before, also in the same millisecond. */
export function newAccount(
  { name, email, role }: Pick<User, "name" | "email" | "role">,
  passwordHash: string,
  nowMs: number,
): Account {
  return {
    id: newId(),
    name,
    email,
    role,
    password_hash: passwordHash,
    created_at: timestampOf(nowMs),
  };
}

/** The form in which two e-mail addresses are the same address: case makes no difference. */
export function canonicalEmail(email: string): string {
  return email.toLowerCase();
}

/** Oneself, or anyone for an admin. */
export function maySee({ id, role }: Principal, userId: string): boolean {
  return role === "admin" || id === userId;
}
