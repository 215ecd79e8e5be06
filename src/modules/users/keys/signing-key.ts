import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A key that signs tokens with ES256 (RFC 7518): a P-256 key pair. */
export interface SigningKey {
  /** Its RFC 7638 thumbprint: the same key has the same id everywhere. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicJwk: PublicJwk;
}

/** What others need to check a token (RFC 7517). */
export interface PublicJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly kid: string;
  readonly alg: "ES256";
  readonly use: "sig";
}

/** Makes a new key. */
export function generateSigningKey(): SigningKey {
  return signingKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
}

/**
 * Reads a private key from PEM.
 * @throws Error, without a word of what it read, when that is no private P-256 key
 */
export function readSigningKey(pem: string): SigningKey {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error("expected a private key as unencrypted PEM");
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new Error("expected a key on the curve P-256, for ES256");
  }
  return signingKey(key);
}

/** The key as PKCS #8 in PEM, for `readSigningKey`. */
export function writeSigningKey({ privateKey }: SigningKey): string {
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function signingKey(privateKey: KeyObject): SigningKey {
  const { x = "", y = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const thumbprint = JSON.stringify({ crv: "P-256", kty: "EC", x, y });
  const kid = createHash("sha256").update(thumbprint).digest("base64url");
  return { kid, privateKey, publicJwk: { kty: "EC", crv: "P-256", x, y, kid, alg: "ES256", use: "sig" } };
}
