import { randomUUIDv7 } from "node:crypto";

const SENSIBLE = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * The id that a request goes by in answers and logs.
 * @param header the client's own `X-Request-Id`, taken if it is 1 to 128 of letters, digits, dot, dash and underscore
 * @returns the client's id, else a new UUIDv7
 */
export function requestIdOf(header: string | readonly string[] | undefined): string {
  return typeof header === "string" && SENSIBLE.test(header) ? header : randomUUIDv7();
}
