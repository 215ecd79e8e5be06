import { compareSync, hashSync } from "bcryptjs";

/** Runs in a worker thread, where the time that bcrypt takes (80 ms at cost 10) keeps nobody waiting. */
export function hash({ password, cost }: { readonly password: string; readonly cost: number }): string {
  return hashSync(password, cost);
}

/** Whether this is the password that was hashed. */
export function matches({ password, hash }: { readonly password: string; readonly hash: string }): boolean {
  return compareSync(password, hash);
}
