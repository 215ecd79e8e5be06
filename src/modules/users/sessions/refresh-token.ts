import { createHash, randomBytes } from "node:crypto";

/** What is kept of a refresh token: nothing from which it could be made again. */
export interface RefreshTokenHashes {
  /** Names the session that the token belongs to. */
  readonly handleHash: string;
  /** Tells this token from the others of its session. */
  readonly tokenHash: string;
}

export interface RefreshToken extends RefreshTokenHashes {
  /** What the client gets: 64 characters that mean nothing to it. */
  readonly text: string;
}

/** A handle, which all tokens of a session share, and a secret of its own: 128 and 256 random bits. */
const HANDLE_BYTES = 16;
const SECRET_BYTES = 32;

/** Draws the first token of a new session. */
export function newSessionToken(): RefreshToken {
  return withSecret(randomBytes(HANDLE_BYTES));
}

/** Draws the next token of the session that this one belongs to. */
export function nextToken(text: string): RefreshToken {
  return withSecret(Buffer.from(text, "base64url").subarray(0, HANDLE_BYTES));
}

/** Reads a token that somebody presents. Undefined when it cannot be one of ours. */
export function readRefreshToken(text: string): RefreshToken | undefined {
  if (!/^[\w-]{64}$/.test(text)) return undefined;
  const handle = Buffer.from(text, "base64url").subarray(0, HANDLE_BYTES);
  return { text, handleHash: sha256(handle), tokenHash: sha256(text) };
}

/** SHA-256 in base64url: enough for what has 128 random bits or more, which nobody guesses. */
export function sha256(value: string | Buffer): string {
  return createHash("sha256").update(value).digest("base64url");
}

function withSecret(handle: Buffer): RefreshToken {
  const text = Buffer.concat([handle, randomBytes(SECRET_BYTES)]).toString("base64url");
  return { text, handleHash: sha256(handle), tokenHash: sha256(text) };
}
