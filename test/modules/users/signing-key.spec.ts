import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { calculateJwkThumbprint } from "jose";
import { generateSigningKey, readSigningKey, writeSigningKey } from "../../../src/modules/users/keys/signing-key.ts";

describe("signing key", () => {
  it("has its RFC 7638 thumbprint as its id", async () => {
    const { kid, publicJwk } = generateSigningKey();
    expect(publicJwk.kid).to.equal(kid);
    expect(kid).to.equal(await calculateJwkThumbprint({ ...publicJwk }));
  });

  it("is the same key after writing and reading", () => {
    const key = generateSigningKey();
    expect(readSigningKey(writeSigningKey(key)).publicJwk).to.deep.equal(key.publicJwk);
  });

  it("can be read as openssl writes it", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "sec1", format: "pem" }).toString();
    expect(readSigningKey(pem).kid).to.have.length(43);
  });

  it("is refused when it is of another kind", () => {
    const pemOf = (key: { export(options: { type: "pkcs8"; format: "pem" }): string | Buffer }) =>
      key.export({ type: "pkcs8", format: "pem" }).toString();
    for (const pem of [
      pemOf(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey),
      pemOf(generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey),
      pemOf(generateKeyPairSync("ed25519").privateKey),
    ]) {
      expect(() => readSigningKey(pem)).to.throw("P-256");
    }
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(() => readSigningKey(publicKey.export({ type: "spki", format: "pem" }).toString())).to.throw("private key");
    expect(() => readSigningKey("")).to.throw("private key");
  });
});
