import { isRecord } from "./json.ts";

const SECRET = /password|token|secret|authorization/i;

/** What stands for a value that is not to be seen. */
export const MASK = "••••••••";

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
