import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";

/** AES-256-GCM (NIST SP 800-38D), with a key from HKDF (RFC 5869) that is another for each answer by its salt. */
const CIPHER = "aes-256-gcm";
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = SALT_BYTES + IV_BYTES + TAG_BYTES;

/** Seals a value so that only who has the secret can read it: what is kept of it tells nothing to a thief of the disk. */
export function seal(value: unknown, secret: string): string {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, keyOf(secret, salt), iv);
  const text = Buffer.concat([cipher.update(JSON.stringify(value), "utf8"), cipher.final()]);
  return Buffer.concat([salt, iv, cipher.getAuthTag(), text]).toString("base64url");
}

/** @throws Error when it was sealed with another secret, or changed since */
export function unseal(sealed: string, secret: string): unknown {
  const bytes = Buffer.from(sealed, "base64url");
  const salt = bytes.subarray(0, SALT_BYTES);
  const iv = bytes.subarray(SALT_BYTES, SALT_BYTES + IV_BYTES);
  const tag = bytes.subarray(SALT_BYTES + IV_BYTES, HEAD_BYTES);
  const decipher = createDecipheriv(CIPHER, keyOf(secret, salt), iv).setAuthTag(tag);
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES)), decipher.final()]).toString());
}

function keyOf(secret: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, "quartet sealed answer", 32));
}
