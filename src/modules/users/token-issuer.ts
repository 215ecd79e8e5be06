import { randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";
import type { PublicJwk, SigningKey } from "./signing-key.ts";
import type { User } from "./user.ts";

export interface TokenIssuerOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly ttlSeconds: number;
  /** Tokens are signed with the first; those signed with any of the others are still good. */
  readonly keys: readonly [SigningKey, ...SigningKey[]];
}

/** What a user gets who has signed in. */
export interface Session {
  readonly user: User;
  readonly token: string;
  readonly token_type: "Bearer";
  /** Seconds that the token lives. */
  readonly expires_in: number;
}

export interface TokenIssuer {
  /** Opens a session with a new token (RFC 7519), which tells whoever checks it who this is. */
  open(user: User): Session;
  /** The public halves of the keys. */
  publicKeys(): PublicJwk[];
}

/** Issues tokens that can be checked with public keys alone. */
export function createTokenIssuer({ issuer, audience, ttlSeconds, keys }: TokenIssuerOptions): TokenIssuer {
  const [{ kid, privateKey }] = keys;

  function sign({ id, role }: User): string {
    return jwt.sign({ role }, privateKey, {
      algorithm: "ES256",
      keyid: kid,
      issuer,
      audience,
      subject: id,
      expiresIn: ttlSeconds,
      jwtid: randomUUID(),
    });
  }

  return {
    open: (user) => ({ user, token: sign(user), token_type: "Bearer", expires_in: ttlSeconds }),
    publicKeys: () => keys.map(({ publicJwk }) => publicJwk),
  };
}
