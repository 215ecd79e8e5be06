import { compareSync, genSaltSync, getRounds, hashSync } from "bcryptjs";

/** Runs in a worker thread, where the time that bcrypt takes (80 ms at cost 10) keeps nobody waiting. */
export function hash({ password, cost }: { readonly password: string; readonly cost: number }): string {
  return hashSync(password, cost);
}

/**
 * Whether this is the password that was hashed. If not, it has taken the time of `cost`, also where the hash's own is
 * lower: 2^own for the comparison, and 2^own + … + 2^(cost - 1) for nothing, make 2^cost.
 */
export function matches({
  password,
  hash,
  cost,
}: {
  readonly password: string;
  readonly hash: string;
  readonly cost: number;
}): boolean {
  if (compareSync(password, hash)) return true;
  for (let extra = getRounds(hash); extra < cost; extra++) hashSync(password, genSaltSync(extra));
  return false;
}
