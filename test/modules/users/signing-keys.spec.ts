import { join } from "node:path";
import { expect } from "chai";
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { createTokenVerifier, type TokenVerifier } from "../../../src/identity/token-verifier.ts";
import { rotateKeys } from "../../../src/modules/users/index.ts";
import { openStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { as, GOOD_PASSWORD, makeFolder, SETTINGS, startUsers, type UsersSystem } from "./users-system.ts";

const LEAD_SECONDS = 600;
const LEEWAY_SECONDS = 60;
const nobody = as(null);
const ada = { name: "Ada", email: "ada@example.com", password: GOOD_PASSWORD };

describe("rotation of the signing key", () => {
  let folder: ReturnType<typeof makeFolder>;
  let system: UsersSystem;
  let nowMs: number;
  const now = () => nowMs;

  beforeEach(async () => {
    nowMs = Date.parse("2026-01-01T00:00:00Z");
    folder = makeFolder();
    system = await startUsers(folder.path, { now });
    await system.client.registerUser(ada, nobody);
  });
  afterEach(async () => {
    await system.stop();
    folder.remove();
    expect(system.unexpected).to.deep.equal([]);
  });

  /** As the command does it: by a connection of its own, while users goes on. */
  async function rotate(): Promise<string> {
    const migrations = new URL("../../../src/modules/users/migrations/", import.meta.url);
    const store = openStore({ name: "users", file: join(folder.path, "users.db"), migrations });
    const times = { leadSeconds: LEAD_SECONDS, tokenTtlSeconds: SETTINGS.tokenTtlSeconds };
    const { kid } = await rotateKeys(store, times, now);
    await store.close();
    return kid;
  }

  const published = async () => (await system.client.getJwks({}, nobody)).keys.map(({ kid }) => kid);
  const logIn = async () => (await system.client.loginUser({ email: ada.email, password: ada.password }, nobody)).token;
  const signer = async () => decodeProtectedHeader(await logIn()).kid;
  const countKept = () => system.store.prepare<[], { n: number }>("SELECT count(*) AS n FROM signing_keys").get()?.n;

  it("publishes the new key at once, signs with it later, and drops the old one with its last token", async () => {
    const [old = ""] = await published();
    const next = await rotate();
    expect(await published()).to.deep.equal([next, old]);
    nowMs += LEAD_SECONDS * 1_000 - 1;
    expect(await signer()).to.equal(old);
    nowMs += 1;
    expect(await signer()).to.equal(next);
    nowMs += (SETTINGS.tokenTtlSeconds + LEEWAY_SECONDS) * 1_000 - 1;
    expect(await published()).to.deep.equal([next, old]);
    nowMs += 1;
    expect(await published()).to.deep.equal([next]);
    expect(await signer()).to.equal(next);
  });

  it("goes on over a restart, which also takes the dropped key from the database", async () => {
    const [old = ""] = await published();
    const next = await rotate();
    await restart();
    expect([await published(), await signer()]).to.deep.equal([[next, old], old]);
    nowMs += (LEAD_SECONDS + SETTINGS.tokenTtlSeconds + LEEWAY_SECONDS) * 1_000;
    await restart();
    expect([await published(), await signer(), countKept()]).to.deep.equal([[next], next, 1]);
  });

  it("may be begun again before the last has ended", async () => {
    const [first = ""] = await published();
    const second = await rotate();
    nowMs += 60_000;
    const third = await rotate();
    expect(await published()).to.deep.equal([third, second, first]);
    expect(await signer()).to.equal(first);
    nowMs += LEAD_SECONDS * 1_000;
    expect(await signer()).to.equal(third);
    nowMs += (SETTINGS.tokenTtlSeconds + LEEWAY_SECONDS) * 1_000;
    expect(await published()).to.deep.equal([third]);
  });

  it("supersedes one that was begun by a clock a year ahead", async () => {
    const [old = ""] = await published();
    nowMs += 31_536_000_000;
    const ahead = await rotate();
    nowMs -= 31_536_000_000;
    const next = await rotate();
    expect([await published(), await signer()]).to.deep.equal([[next, ahead, old], old]);
    nowMs += LEAD_SECONDS * 1_000;
    expect(await signer()).to.equal(next);
    nowMs += (SETTINGS.tokenTtlSeconds + LEEWAY_SECONDS) * 1_000;
    expect([await published(), await signer()]).to.deep.equal([[next], next]);
    nowMs += 31_536_000_000;
    expect([await published(), await signer()]).to.deep.equal([[next], next]);
  });

  it("takes from the database what rotations before have dropped", async () => {
    for (let i = 0; i < 4; i++) {
      await rotate();
      nowMs += 86_400_000;
    }
    expect(countKept()).to.equal(2);
    expect(await published()).to.have.length(1);
  });

  it("refuses no token that is good, in any minute of it, by whomever it is checked", async () => {
    const fetchKeys = () => system.client.getJwks({}, nobody);
    const { jwtIssuer: issuer, jwtAudience: audience, tokenTtlSeconds } = SETTINGS;
    const early = createTokenVerifier({ fetchKeys, issuer, audience, now, monotonicMs: now });
    const late = createTokenVerifier({ fetchKeys, issuer, audience, now, monotonicMs: now });
    const tokens: string[] = [];
    for (let minute = 0; minute < 90; minute++) {
      if (minute === 2) await rotate();
      tokens.push(await logIn());
      nowMs += 59_000;
      const good = tokens.slice(-tokenTtlSeconds / 60);
      await acceptAll(early, good);
      if (minute > 40) await acceptAll(late, good);
      await verifyAsStranger(good[0] ?? "");
      nowMs += 1_000;
    }
    expect(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)).size).to.equal(2);
  });

  async function acceptAll(verifier: TokenVerifier, tokens: readonly string[]): Promise<void> {
    for (const token of tokens) await verifier.verify(token);
  }

  async function verifyAsStranger(token: string): Promise<void> {
    const keys = createLocalJWKSet(await system.client.getJwks({}, nobody));
    await jwtVerify(token, keys, { algorithms: ["ES256"], currentDate: new Date(nowMs) });
  }

  async function restart(): Promise<void> {
    await system.stop();
    system = await startUsers(folder.path, { now });
  }
});
