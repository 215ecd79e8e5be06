/** What the client of Redis says of a command because the connection is away: not why it is. */
const CONSEQUENCE = /max retries per request|^Connection is closed|enableOfflineQueue/i;

/** What it says of an answer that did not come, each with its own settings. */
const SILENCE = /^Command timed out|^Socket timeout/i;

/** True when the error only follows from another, which tells more. */
export function isConsequence(error: unknown): boolean {
  return error instanceof Error && CONSEQUENCE.test(error.message);
}

/**
 * Why something failed, for people who do not know the library that noticed it. Words only: the error itself may carry the
 * command that failed, and with it the events.
 */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isConsequence(error)) return "the connection is closed";
  if (SILENCE.test(error.message)) return "does not answer in time";
  return error.message || ("code" in error ? String(error.code) : error.name);
}
