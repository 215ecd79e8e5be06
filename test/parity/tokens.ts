import { createHmac, generateKeyPairSync, sign } from "node:crypto";

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** What an attacker, or a client gone astray, makes of a good token. */
export function forgeries(token: string): Readonly<Record<string, string>> {
  const [head = "", body = "", signature = ""] = token.split(".");
  const header = JSON.parse(Buffer.from(head, "base64url").toString());
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signed = (changes: object, said: object = {}) => {
    const input = `${encode({ ...header, ...changes })}.${encode({ ...claims, ...said })}`;
    return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
  const hmacInput = `${encode({ ...header, alg: "HS256" })}.${body}`;
  return {
    garbage: "not.a.token",
    "cut-off": `${head}.${body}.`,
    "another-role": `${head}.${encode({ ...claims, role: "admin" })}.${signature}`,
    "no-algorithm": `${encode({ ...header, alg: "none" })}.${body}.`,
    "hmac-with-public-text": `${hmacInput}.${createHmac("sha256", header.kid).update(hmacInput).digest("base64url")}`,
    "key-of-ones-own": signed({}),
    "unknown-key": signed({ kid: "nobody-knows-this-key" }),
    "key-by-url": signed({ jku: "http://127.0.0.1:9/keys" }),
    critical: signed({ crit: ["exp"] }),
  };
}
