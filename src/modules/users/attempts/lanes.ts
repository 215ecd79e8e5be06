import { canonicalEmail } from "../user.ts";

/** What counts all that guess the password of an address, whether it has an account or not. */
export function laneOfAddress(email: string): string {
  return `address ${canonicalEmail(email)}`;
}

/** What counts the failures of a device that shows a token of a session it had. */
export function laneOfSession(handleHash: string): string {
  return `session ${handleHash}`;
}

/** What counts the failures of who is signed in. */
export function laneOfUser(id: string): string {
  return `user ${id}`;
}
