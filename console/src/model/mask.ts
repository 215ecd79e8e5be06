import { isRecord } from "./json.ts";

const SECRET = /password|token|secret|authorization/i;

/** What stands for a value that is not to be seen. */
export const MASK = "••••••••";

/**
 * The same text, its passwords and tokens masked: for what is to stay as it was written, or is no valid JSON. A text
 * whose end is missing ends with its line.
 */
export function maskSecretsInText(text: string): string {
  return text.replace(/("(?:\w*password|\w*token)"\s*:\s*)"(?:[^"\\\n]|\\.)*"?/gi, `$1"${MASK}"`);
}

/** A copy of a JSON value in which no password and no token can be read, however deep it lies. */
export function maskSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(maskSecrets);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET.test(name) && typeof member === "string" && name !== "token_type" ? MASK : maskSecrets(member),
    ]),
  );
}
