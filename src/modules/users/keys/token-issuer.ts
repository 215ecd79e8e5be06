import { randomUUID } from "node:crypto";
import { loadJwt } from "../../../base/common-js.ts";
import type { User } from "../user.ts";
import type { PublicJwk } from "./signing-key.ts";
import type { SigningKeys } from "./signing-keys.ts";

export interface TokenIssuerOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly ttlSeconds: number;
  readonly keys: SigningKeys;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface TokenIssuer {
  /** Makes a token (RFC 7519) that tells whoever checks it who this is. */
  issue(user: User): Promise<string>;
  /** The public halves of the keys. */
  publicKeys(): Promise<PublicJwk[]>;
}

/** Issues tokens that can be checked with public keys alone. */
export function createTokenIssuer({ issuer, audience, ttlSeconds, keys, now }: TokenIssuerOptions): TokenIssuer {
  return {
    async issue({ id, role }) {
      const { kid, privateKey } = await keys.signer();
      return loadJwt().sign({ role, iat: Math.floor(now() / 1_000) }, privateKey, {
        algorithm: "ES256",
        keyid: kid,
        issuer,
        audience,
        subject: id,
        expiresIn: ttlSeconds,
        jwtid: randomUUID(),
      });
    },
    publicKeys: async () => (await keys.published()).map(({ publicJwk }) => publicJwk),
  };
}
