import { demoCustomer } from "./modules.ts";
import type { ServiceName } from "./places.ts";

/** What a request can be filled with: what the page has seen so far. */
export interface Known {
  readonly productId: string | undefined;
  readonly orderId: string | undefined;
  /** Who is signed in. */
  readonly userId: string | undefined;
  /** The newest of what a module has: its list's first, or what was made last. @param collection such as `products` */
  idIn(collection: string): string | undefined;
  /** A text that no other request of this page has. */
  unique(): string;
}

/** An account that was made to be tried on. */
export interface Trial {
  readonly password: string;
  readonly refreshToken: string;
}

/** A button of the tester. */
export interface Endpoint {
  readonly id: string;
  readonly service: ServiceName;
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly title: string;
  /** True for what only a signed-in user, or an admin, may ask. */
  readonly access: "public" | "user" | "admin";
  /** True for what ends a session or an account: it is tried on one made for it, so that nobody loses theirs by a click. */
  readonly onTrial?: true;
  path(known: Known): string;
  /** A sensible body; absent where the request has none. */
  body?(known: Known, trial: Trial): Record<string, unknown>;
}

/** An id that is well-formed and that nothing has; what an endpoint is tried with as long as nothing is known. */
export const NOBODY = "00000000-0000-7000-8000-000000000000";

/** What a body shows before its account has been made. */
export const TRIAL_TO_COME: Trial = {
  password: "(of the account made for this)",
  refreshToken: "(of the account made for this)",
};

/** Who signs in, as long as nobody says otherwise. */
export const SOMEBODY = demoCustomer ?? { email: "you@example.com", password: "" };

/** A user that nobody else has, with a password good enough to be taken. */
export function newUser(unique: string): { name: string; email: string; password: string } {
  return { name: "Ada Sample", email: `ada.${unique}@example.com`, password: `harbour-lantern-${unique}` };
}
