import { maskSecretsInText } from "./mask.ts";

/** A request as the page sends it. */
export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  /** Who sent it; undefined for nobody in particular. */
  readonly as: string | undefined;
}

/** The command that sends the same request from a shell; the token is left to the reader's `$TOKEN`, and passwords are masked. */
export function toCurl(origin: string, request: OutgoingRequest): string {
  const parts = [`curl -i${request.method === "GET" ? "" : ` -X ${request.method}`} ${quote(origin + request.path)}`];
  if (request.as !== undefined) parts.push(`-H "Authorization: Bearer $TOKEN"`);
  if (request.body !== undefined)
    parts.push("-H 'Content-Type: application/json'", `-d ${quote(maskSecretsInText(request.body))}`);
  return parts.join(" \\\n  ");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
