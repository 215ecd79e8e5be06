import type { z } from "zod";

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "a list",
};

/**
 * What is wrong with a member, for a client who does not know what it was checked with.
 * @returns undefined where the schema's library says it as well
 */
export function validationText(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is required" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "too_small":
      return boundText(issue.origin, "at least", issue.minimum);
    case "too_big":
      return boundText(issue.origin, "at most", issue.maximum);
    case "invalid_value":
      return `must be ${issue.values.map(String).join(" or ")}`;
    default:
      return undefined;
  }
}

function boundText(origin: string, bound: string, limit: number | bigint): string {
  if (origin === "string") return `must have ${bound} ${limit} character${limit === 1 ? "" : "s"}`;
  if (origin === "array") return `must have ${bound} ${limit} member${limit === 1 ? "" : "s"}`;
  return `must be ${bound} ${limit}`;
}
