import { createHmac, sign as createSignature, generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import { type JWTHeaderParameters, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { isProblem } from "../../src/base/problem.ts";
import { createTokenVerifier, readBearer, type TokenVerifier } from "../../src/identity/token-verifier.ts";

const START_MS = Date.parse("2026-01-01T00:00:00Z");
const startSeconds = START_MS / 1_000;
const USER = "0190a000-0000-7000-8000-000000000001";

const claims = {
  iss: "quartet",
  aud: "quartet",
  sub: USER,
  role: "customer",
  iat: startSeconds,
  exp: startSeconds + 3_600,
  jti: "one",
};

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: object;
}

describe("token verifier", () => {
  const key = makeKey("our-key");
  let published: object[];
  let fetches: number;
  let reachable: boolean;
  let nowMs: number;
  /** By which the machine's clock is wrong. */
  let stepMs: number;
  let verifier: TokenVerifier;

  beforeEach(() => {
    published = [key.jwk];
    fetches = 0;
    reachable = true;
    nowMs = START_MS;
    stepMs = 0;
    verifier = createTokenVerifier({
      issuer: "quartet",
      audience: "quartet",
      now: () => nowMs + stepMs,
      monotonicMs: () => nowMs,
      refetchAfterMs: 2_000,
      rememberedTokens: 10,
      async fetchKeys() {
        fetches++;
        await Promise.resolve();
        if (!reachable) throw new Error("connection refused");
        return { keys: published };
      },
    });
  });

  /** The name of the problem that verifying this token ends in, or "accepted". */
  async function outcome(token: string): Promise<string> {
    try {
      await verifier.verify(token);
      return "accepted";
    } catch (error) {
      return isProblem(error) ? error.code : `no problem: ${error}`;
    }
  }

  it("accepts such a token as the forged ones below are made from", async () => {
    expect(await outcome(signRaw(key, {}))).to.equal("accepted");
  });

  it("accepts a token that users signed, and says whose it is", async () => {
    expect(await verifier.verify(await sign(key))).to.deep.equal({ id: USER, role: "customer" });
    expect(await verifier.verify(await sign(key, { role: "admin" }))).to.deep.equal({ id: USER, role: "admin" });
  });

  describe("refuses a token", () => {
    const without = (claim: keyof typeof claims) => sign(key, { [claim]: undefined });
    const stranger = makeKey("our-key");
    const forged: Readonly<Record<string, () => Promise<string> | string>> = {
      "that is no token": () => "abc",
      "that is empty": () => "",
      "of three parts that say nothing": () => "a.b.c",
      "without a signature": async () => `${(await sign(key)).split(".", 2).join(".")}.`,
      "with alg none": () => new UnsecuredJWT(claims).encode(),
      "with alg none and our kid": async () =>
        `${encode({ alg: "none", typ: "JWT", kid: key.kid })}.${(await sign(key)).split(".")[1]}.`,
      "signed by HS256 with the public key as PEM": () =>
        signHmac(key, Buffer.from(key.publicKey.export({ type: "spki", format: "pem" }))),
      "signed by HS256 with the public key as DER": () =>
        signHmac(key, key.publicKey.export({ type: "spki", format: "der" })),
      "signed by HS256 with the published key's text": () => signHmac(key, Buffer.from(JSON.stringify(key.jwk))),
      "signed by RS256": () => {
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
        return new SignJWT(claims).setProtectedHeader({ alg: "RS256", typ: "JWT", kid: key.kid }).sign(privateKey);
      },
      "signed by another key under our kid": () => sign(stranger),
      "of an unknown kid": () => sign(makeKey("their-key")),
      "whose kid is a member of every object": () => sign({ ...key, kid: "__proto__" }),
      "without kid": () => sign(key, {}, { kid: undefined }),
      "of another type": () => sign(key, {}, { typ: "at+jwt" }),
      "with jku": () => sign(key, {}, { jku: "https://evil.example/keys" }),
      "with its own key in the header": () => sign(stranger, {}, { jwk: stranger.jwk }),
      "with x5u": () => sign(key, {}, { x5u: "https://evil.example/cert" }),
      "with an unknown crit": () => signRaw(key, { crit: ["exp"], exp: 1 }),
      "with a crit that names nothing": () => signRaw(key, { crit: [] }),
      "that has expired": () => sign(key, { exp: startSeconds - 1 }),
      "that expires in this second": () => sign(key, { exp: startSeconds }),
      "that is not good yet": () => sign(key, { nbf: startSeconds + 60 }),
      "of another issuer": () => sign(key, { iss: "another" }),
      "for another audience": () => sign(key, { aud: "another" }),
      "for an audience that contains ours": () => sign(key, { aud: "quartet-admin" }),
      "without iss": () => without("iss"),
      "without aud": () => without("aud"),
      "without sub": () => without("sub"),
      "without role": () => without("role"),
      "without exp": () => without("exp"),
      "without iat": () => without("iat"),
      "without jti": () => without("jti"),
      "with exp as text": () => sign(key, { exp: `${claims.exp}` as unknown as number }),
      "with an unknown role": () => sign(key, { role: "root" }),
      "whose role was changed": async () => {
        const [header, , signature] = (await sign(key)).split(".");
        return [header, encode({ ...claims, role: "admin" }), signature].join(".");
      },
      "whose signature belongs to another token": async () => {
        const [header, payload] = (await sign(key)).split(".");
        return [header, payload, (await sign(key, { jti: "two" })).split(".")[2]].join(".");
      },
    };

    for (const [name, make] of Object.entries(forged)) {
      it(name, async () => {
        const token = await make();
        expect(await outcome(token)).to.equal("invalid-token");
        expect(await outcome(token), "the second time").to.equal("invalid-token");
      });
    }
  });

  it("answers at once for a token it has seen, until it expires", async () => {
    const token = await sign(key);
    await verifier.verify(token);
    nowMs = claims.exp * 1_000 - 1;
    expect(verifier.verify(token)).to.deep.equal({ id: USER, role: "customer" });
    nowMs = claims.exp * 1_000;
    expect(await outcome(token)).to.equal("invalid-token");
  });

  it("asks for the keys once, however many tokens wait for them", async () => {
    const tokens = await Promise.all(["a", "b", "c", "d"].map((jti) => sign(key, { jti })));
    expect(await Promise.all(tokens.map(outcome))).to.deep.equal(Array(4).fill("accepted"));
    expect(fetches).to.equal(1);
  });

  it("learns a new key from its first token, and goes on accepting the old one's", async () => {
    const old = await sign(key);
    await verifier.verify(old);
    const newer = makeKey("newer-key");
    published = [newer.jwk, key.jwk];
    nowMs += 2_000;
    expect(await outcome(await sign(newer))).to.equal("accepted");
    expect(verifier.verify(old), "without checking it again").to.deep.equal({ id: USER, role: "customer" });
    expect(fetches).to.equal(2);
  });

  it("does not ask again for each token of an unknown key", async () => {
    for (let i = 0; i < 20; i++) expect(await outcome(await sign(makeKey(`key-${i}`)))).to.equal("invalid-token");
    expect(fetches).to.equal(1);
  });

  it("forgets the tokens it has seen when a key is retired", async () => {
    const old = await sign(key);
    await verifier.verify(old);
    const newer = makeKey("newer-key");
    published = [newer.jwk];
    nowMs += 2_000;
    await verifier.verify(await sign(newer));
    expect(await outcome(old)).to.equal("invalid-token");
  });

  it("learns that a key is retired without being shown another", async () => {
    const token = await sign(key, { exp: startSeconds + 86_400 });
    await verifier.verify(token);
    published = [makeKey("newer-key").jwk];
    nowMs += 600_000;
    expect(verifier.verify(token), "nobody waits for it").not.to.be.instanceOf(Promise);
    await new Promise(setImmediate);
    expect(await outcome(token)).to.equal("invalid-token");
  });

  for (const [name, jumpMs] of Object.entries({
    "a day": 86_400_000,
    "a year": 31_536_000_000,
    "an hour": -3_600_000,
  })) {
    it(`learns of a rotation after a clock that was ${name} ${jumpMs > 0 ? "ahead" : "behind"} for a second`, async () => {
      const long = { exp: startSeconds + 2 * 31_536_000 };
      const old = await sign(key, long);
      await verifier.verify(old);
      nowMs += 600_000;
      stepMs = jumpMs;
      await outcome(old); // fetches the keys anew
      await new Promise(setImmediate);
      nowMs += 1_000;
      stepMs = 0;

      const newer = makeKey("newer-key");
      published = [newer.jwk];
      nowMs += 2_000;
      expect(await outcome(await sign(newer)), "the new key").to.equal("accepted");
      expect(await outcome(old), "the retired key").to.equal("invalid-token");

      published = [makeKey("newest-key").jwk];
      nowMs += 600_000;
      await outcome(await sign(newer)); // fetches the keys anew
      await new Promise(setImmediate);
      expect(await outcome(await sign(newer)), "retired too").to.equal("invalid-token");
    });
  }

  it("cannot say that a token is wrong while the keys cannot be had", async () => {
    reachable = false;
    expect(await outcome(await sign(key))).to.equal("dependency-unavailable");
    reachable = true;
    expect(await outcome(await sign(key)), "as soon as they can").to.equal("accepted");
    reachable = false;
    nowMs += 2_000;
    expect(await outcome(await sign(makeKey("newer-key")))).to.equal("dependency-unavailable");
  });

  it("needs no keys to see that something is no token of ours", async () => {
    reachable = false;
    expect(await outcome("abc")).to.equal("invalid-token");
    expect(fetches).to.equal(0);
  });

  it("goes on with the keys it knows while users is down", async () => {
    const day = { exp: startSeconds + 86_400 };
    await verifier.verify(await sign(key, day));
    reachable = false;
    nowMs += 10 * 3_600_000;
    expect(await outcome(await sign(key, { ...day, jti: "never seen" }))).to.equal("accepted");
    expect(await outcome(await sign(key, { ...day, jti: "nor this" }))).to.equal("accepted");
    expect(fetches, "one for the keys, one try to renew them").to.equal(2);
  });

  it("passes over published keys that it cannot use", async () => {
    const { publicKey } = generateKeyPairSync("ed25519");
    published = [
      { kty: "oct", k: "c2VjcmV0", kid: "x" },
      { ...publicKey.export({ format: "jwk" }), kid: "y" },
      key.jwk,
    ];
    expect(await outcome(await sign(key))).to.equal("accepted");
  });

  it("remembers a bounded number of tokens", async () => {
    const first = await sign(key, { jti: "first" });
    await verifier.verify(first);
    for (let i = 0; i < 9; i++) await verifier.verify(await sign(key, { jti: `${i}` }));
    expect(verifier.verify(first)).not.to.be.instanceOf(Promise);
    await verifier.verify(await sign(key, { jti: "one too many" }));
    expect(verifier.verify(first), "checked anew").to.be.instanceOf(Promise);
  });
});

describe("reading a bearer token", () => {
  it("takes the scheme in any case", () => {
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      expect(readBearer(`${scheme} a.b-_c.d=`)).to.equal("a.b-_c.d=");
  });

  it("knows the absence of a token, also beside another scheme, from a bad one", () => {
    for (const header of [undefined, "", "Basic YTpi", "token", "Bearertoken"])
      expect(readBearer(header)).to.equal(null);
    for (const header of ["Bearer", "Bearer ", "Bearer a b", "Bearer a,Bearer b", "Bearer ü"]) {
      expect(() => readBearer(header), header)
        .to.throw()
        .with.property("code", "invalid-token");
    }
  });
});

function makeKey(kid: string): Key {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, privateKey, publicKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } };
}

function sign(key: Key, changes: JWTPayload = {}, header: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const whole = { alg: "ES256", typ: "JWT", kid: key.kid, ...header } as JWTHeaderParameters;
  return new SignJWT({ ...claims, ...changes }).setProtectedHeader(whole).sign(key.privateKey);
}

/** Signs with a header that no library would write. */
function signRaw(key: Key, header: Readonly<Record<string, unknown>>): string {
  const signed = `${encode({ alg: "ES256", typ: "JWT", kid: key.kid, ...header })}.${encode(claims)}`;
  const signature = createSignature("sha256", Buffer.from(signed), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

/** The confusion of algorithms: the public key, which everybody has, taken for a shared secret. */
function signHmac(key: Key, secret: Buffer): string {
  const signed = `${encode({ alg: "HS256", typ: "JWT", kid: key.kid })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
