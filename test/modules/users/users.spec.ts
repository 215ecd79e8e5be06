import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { createLocalJWKSet, jwtVerify } from "jose";
import { createTokenVerifier } from "../../../src/identity/token-verifier.ts";
import type { Session } from "../../../src/modules/users/contract.ts";
import {
  as,
  GOOD_PASSWORD,
  makeFolder,
  problemOf,
  SETTINGS,
  seen,
  startUsers,
  type UsersSystem,
} from "./users-system.ts";

const ada = { name: "Ada", email: "Ada@Example.com", password: GOOD_PASSWORD };
const { name: _, ...credentials } = ada;
const nobody = as(null);
const admin = as({ id: "0190a000-0000-7000-8000-000000000000", role: "admin" });
const asUser = ({ user }: Session) => as({ id: user.id, role: user.role });

describe("users", () => {
  const folder = makeFolder();
  let system: UsersSystem;

  before(async () => {
    system = await startUsers(folder.path);
  });
  beforeEach(() => {
    system.store.prepare("DELETE FROM users").run();
  });
  afterEach(() => {
    expect(system.unexpected).to.deep.equal([]);
  });
  after(async () => {
    await system.stop();
    folder.remove();
  });

  describe("registering", () => {
    it("answers the user and a token", async () => {
      const { user, token, ...rest } = await system.client.registerUser(ada, nobody);
      expect(user).to.have.keys("id", "name", "email", "role", "created_at");
      expect(user).to.include({ name: "Ada", email: "Ada@Example.com", role: "customer" });
      const { refresh_token, ...others } = rest;
      expect(others).to.deep.equal({ token_type: "Bearer", expires_in: 3_600 });
      expect(token.split(".")).to.have.length(3);
      expect(refresh_token).to.match(/^[\w-]{64}$/);
    });

    it("lets no e-mail address have two accounts, whatever its case", async () => {
      await system.client.registerUser(ada, nobody);
      const again = { ...ada, email: "aDA@eXAMPLE.COM" };
      expect(await problemOf(system.client.registerUser(again, nobody))).to.include({
        code: "email-taken",
        status: 409,
      });
    });

    it("makes one account of many attempts at once", async () => {
      const attempts = Array.from({ length: 8 }, () => system.client.registerUser(ada, nobody));
      const settled = await Promise.allSettled(attempts);
      const failed = settled.filter((attempt) => attempt.status === "rejected");
      expect(failed.map(({ reason }) => reason.code)).to.deep.equal(Array(7).fill("email-taken"));
    });

    for (const [password, reason] of [
      ["short", /at least 12 characters/],
      [`${"ü".repeat(36)}.`, /at most 72 bytes/],
      ["QwertyUiop123", /most common/],
    ] as const) {
      it(`refuses the password ${password} and says why`, async () => {
        const problem = await problemOf(system.client.registerUser({ ...ada, password }, nobody));
        expect(problem).to.include({ code: "weak-password", status: 422 });
        expect(problem.message).to.match(reason).and.not.include(password);
      });
    }

    it("refuses a role that the caller gives himself", async () => {
      const input = { ...ada, role: "admin" };
      expect(await problemOf(system.client.registerUser(input, nobody))).to.include({ code: "validation-failed" });
    });

    it("keeps the password only as a bcrypt hash", async () => {
      await system.client.registerUser(ada, nobody);
      const row = system.store.prepare<[], Record<string, string>>("SELECT * FROM users").get();
      expect(row?.password_hash).to.match(/^\$2b\$04\$.{53}$/);
      expect(JSON.stringify(row)).not.to.include(ada.password);
    });
  });

  describe("signing in", () => {
    it("answers what registering answered, with a new token, whatever the case of the address", async () => {
      const { user, token } = await system.client.registerUser(ada, nobody);
      const session = await system.client.loginUser({ email: "ada@example.com", password: ada.password }, nobody);
      expect(session.user).to.deep.equal(user);
      expect(session.token).not.to.equal(token);
    });

    it("takes a password however the keyboard composes its letters", async () => {
      await system.client.registerUser(ada, nobody);
      const password = ada.password.normalize("NFD");
      expect(password).not.to.equal(ada.password);
      expect(await system.client.loginUser({ email: ada.email, password }, nobody)).to.have.property("token");
    });

    it("tells a wrong password and an unknown address apart by no byte", async () => {
      await system.client.registerUser(ada, nobody);
      const wrong = { email: ada.email, password: "not the one of Ada" };
      const unknown = { email: "eve@example.com", password: ada.password };
      const problems = [wrong, unknown].map((input) => problemOf(system.client.loginUser(input, nobody)));
      const [first, second] = await Promise.all(problems);
      expect(first).to.include({ code: "invalid-credentials", status: 401 });
      expect(first && seen(first)).to.equal(second && seen(second));
    });

    it("refuses a password that differs only where bcrypt no longer reads", async () => {
      const password = "0123456789ab".repeat(6);
      await system.client.registerUser({ ...ada, password }, nobody);
      const login = (tried: string) => system.client.loginUser({ email: ada.email, password: tried }, nobody);
      expect(await login(password)).to.have.property("token");
      expect(await problemOf(login(`${password}c`))).to.include({ code: "invalid-credentials" });
    });
  });

  describe("looking at users", () => {
    it("shows oneself", async () => {
      const session = await system.client.registerUser(ada, nobody);
      expect(await system.client.getMe({}, asUser(session))).to.deep.equal(session.user);
      expect(await system.client.getUser({ id: session.user.id }, asUser(session))).to.deep.equal(session.user);
    });

    it("shows anyone to an admin", async () => {
      const { user } = await system.client.registerUser(ada, nobody);
      expect(await system.client.getUser({ id: user.id }, admin)).to.deep.equal(user);
    });

    it("says the same of another user as of one who is not there", async () => {
      const { user } = await system.client.registerUser(ada, nobody);
      const eve = asUser(await system.client.registerUser({ ...ada, email: "eve@example.com" }, nobody));
      const another = await problemOf(system.client.getUser({ id: user.id }, eve));
      const missing = await problemOf(system.client.getUser({ id: "0190a000-0000-7000-8000-000000000001" }, eve));
      expect(another).to.include({ code: "not-found", status: 404 });
      expect(seen(another)).to.equal(seen(missing));
    });

    it("does not find an account that is gone, though its token is still good", async () => {
      expect(await problemOf(system.client.getMe({}, admin))).to.include({ code: "not-found" });
    });

    it("keeps those out who may not look", async () => {
      const session = await system.client.registerUser(ada, nobody);
      expect(await problemOf(system.client.getMe({}, nobody))).to.include({ code: "unauthenticated" });
      expect(await problemOf(system.client.getUser({ id: session.user.id }, nobody))).to.include({
        code: "unauthenticated",
      });
      expect(await problemOf(system.client.listUsers({}, nobody))).to.include({ code: "unauthenticated" });
      expect(await problemOf(system.client.listUsers({}, asUser(session)))).to.include({ code: "forbidden" });
    });

    it("pages through all users, newest first", async () => {
      const made: string[] = [];
      for (const name of ["a", "b", "c", "d", "e"]) {
        const { user } = await system.client.registerUser({ ...ada, email: `${name}@example.com` }, nobody);
        made.unshift(user.id);
      }
      const pages: string[][] = [];
      let cursor: string | undefined;
      do {
        const page = await system.client.listUsers({ limit: 2, ...(cursor === undefined ? {} : { cursor }) }, admin);
        pages.push(page.data.map(({ id }) => id));
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined);
      expect(pages).to.deep.equal([made.slice(0, 2), made.slice(2, 4), made.slice(4)]);
    });

    it("lets nothing out that the contract does not declare", async () => {
      await system.client.registerUser(ada, nobody);
      const { data } = await system.client.listUsers({}, admin);
      expect(data[0]).to.have.keys("id", "name", "email", "role", "created_at");
    });

    it("refuses a forged cursor and a strange limit", async () => {
      for (const input of [{ cursor: "bm9uc2Vuc2U" }, { limit: 0 }, { limit: 101 }]) {
        const problem = await problemOf(system.client.listUsers(input, admin));
        expect(problem).to.include({ code: "validation-failed" });
        expect(problem.options.errors?.map((error) => error.in)).to.deep.equal(["query"]);
      }
    });
  });

  describe("tokens", () => {
    /** Checks a token as a stranger would: with the published keys and another library. */
    async function verify({ token }: Pick<Session, "token">) {
      const keys = createLocalJWKSet(await system.client.getJwks({}, nobody));
      return jwtVerify(token, keys, { issuer: "quartet", audience: "quartet", algorithms: ["ES256"], typ: "JWT" });
    }

    afterEach(() => restart());

    async function restart(settings: Parameters<typeof startUsers>[1] = {}): Promise<void> {
      await system.stop();
      system = await startUsers(folder.path, settings);
    }

    it("say who it is, for an hour, in a way that anyone can check", async () => {
      const session = await system.client.registerUser(ada, nobody);
      const { payload, protectedHeader } = await verify(session);
      expect(payload).to.have.keys("iss", "aud", "sub", "role", "exp", "iat", "jti");
      expect(payload).to.include({ sub: session.user.id, role: "customer" });
      expect((payload.exp ?? 0) - (payload.iat ?? 0)).to.equal(3_600);
      expect(protectedHeader).to.have.keys("alg", "typ", "kid");
    });

    it("are what the token verifier accepts", async () => {
      const { issuer, audience } = { issuer: SETTINGS.jwtIssuer, audience: SETTINGS.jwtAudience };
      const verifier = createTokenVerifier({ fetchKeys: () => system.client.getJwks({}, nobody), issuer, audience });
      const { user, token } = await system.client.registerUser(ada, nobody);
      expect(await verifier.verify(token)).to.deep.equal({ id: user.id, role: "customer" });
    });

    it("outlive a restart", async () => {
      const session = await system.client.registerUser(ada, nobody);
      const published = await system.client.getJwks({}, nobody);
      await restart();
      expect(await system.client.getJwks({}, nobody)).to.deep.equal(published);
      expect((await verify(session)).payload.sub).to.equal(session.user.id);
    });

    it("are signed with the key of the file, and those signed before stay good", async () => {
      const before = await system.client.registerUser(ada, nobody);
      const jwtKeyFile = join(folder.path, "key.pem");
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      writeFileSync(jwtKeyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
      await restart({ jwtKeyFile });
      const after = await system.client.loginUser(credentials, nobody);
      const [kidBefore, kidAfter] = await Promise.all(
        [before, after].map(async (session) => (await verify(session)).protectedHeader.kid),
      );
      expect(kidAfter).not.to.equal(kidBefore);
      expect((await system.client.getJwks({}, nobody)).keys.map(({ kid }) => kid)).to.deep.equal([kidAfter, kidBefore]);
    });

    it("show nothing of the private key", async () => {
      for (const key of (await system.client.getJwks({}, nobody)).keys) {
        expect(key).to.have.keys("kty", "crv", "x", "y", "kid", "alg", "use");
      }
    });
  });
});

describe("users, with settings that", () => {
  const folder = makeFolder();
  after(() => folder.remove());

  it("name a key file that holds no key: it does not start, and names the file", async () => {
    const jwtKeyFile = join(folder.path, "wrong.pem");
    writeFileSync(jwtKeyFile, "a secret that is no key");
    const failure = await startUsers(folder.path, { jwtKeyFile }).catch((error: Error) => error);
    expect(failure).to.be.instanceOf(Error);
    expect(String(failure)).to.include(jwtKeyFile).and.not.include("a secret");
  });

  it("let one password wait: the next callers learn that there are too many, and when to come again", async () => {
    const system = await startUsers(folder.path, { hashing: { threads: 1, queuePerThread: 1 } });
    const tries = Array.from({ length: 5 }, () => problemOf(system.client.loginUser(credentials, nobody)));
    const problems = await Promise.all(tries);
    await system.stop();
    expect(problems.map(({ code }) => code)).to.have.members([
      ...Array(2).fill("invalid-credentials"),
      ...Array(3).fill("overloaded"),
    ]);
    const refused = problems.find(({ code }) => code === "overloaded");
    expect(refused?.status).to.equal(503);
    expect(refused?.options.retryAfterSeconds).to.be.greaterThan(0);
  });
});
