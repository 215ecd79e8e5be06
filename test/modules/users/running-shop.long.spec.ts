import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from "jose";
import type { Session } from "../../../src/modules/users/contract.ts";
import { type Answer, type Api, bodyOf, createApi } from "../../support/api.ts";
import { extent } from "../../support/extent.ts";
import { startShopProcess, until } from "../../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../../support/topology.ts";

/** Each address may try to sign in this often, and a wrong password is free this often. */
const LIMITS = { AUTH_RATE_LIMIT: "5/60s", TRUSTED_PROXIES: "1", LOGIN_FAILURES: "7" };
const password = "grüne Äpfel im Mai";

for (const topology of extent("sign-in in one process", [oneProcess, fourProcesses], [fourProcesses])) {
  describe(`sign-in, in ${topology.name}`, () => {
    let shop: ProcessShop;
    let api: Api;
    let addresses = 0;
    let people = 0;

    before(async () => {
      shop = await topology.start(LIMITS);
      api = createApi(shop.url);
    });
    after(async () => {
      await api.close();
      await shop.stop();
    });

    /** From an address that has not called before, unless one is given. */
    const post = (path: string, body: object, token?: string, address = nextAddress()): Promise<Answer> =>
      api.post(path, body, token, { "x-forwarded-for": address });
    function nextAddress(): string {
      addresses += 1;
      return `10.0.${addresses >> 8}.${addresses & 255}`;
    }
    const logIn = (email: string, tried = password) => post("/users/login", { email, password: tried });
    const refresh = ({ refresh_token }: Session) => post("/users/refresh", { refresh_token });

    async function register(): Promise<Session> {
      const email = `person-${++people}@example.org`;
      return bodyOf<Session>(await post("/users/register", { name: "Person", email, password }));
    }

    it("refreshes, logs out and changes the password as documented", async () => {
      const first = await register();
      const refreshed = await refresh(first);
      expect(refreshed.status).to.equal(200);
      expect(refreshed.headers["cache-control"]).to.equal("no-store");
      const second = bodyOf<Session>(refreshed);
      expect(second).to.have.keys("user", "token", "token_type", "expires_in", "refresh_token");

      const loggedOut = await post("/users/logout", { refresh_token: second.refresh_token }, second.token);
      expect([loggedOut.status, loggedOut.body]).to.deep.equal([204, undefined]);
      expectProblem(await refresh(second), 401, "invalid-token");

      const input = { current_password: password, new_password: "schwarze Kirschen im Juni" };
      const wrong = { ...input, current_password: "something else" };
      expectProblem(await post("/users/me/password", wrong, second.token), 401, "invalid-credentials");
      const changed = await post("/users/me/password", input, second.token);
      expect([changed.status, changed.body]).to.deep.equal([204, undefined]);
      expect((await api.get("/users/me", second.token)).status, "a token outlives its session").to.equal(200);
      expectProblem(await logIn(first.user.email), 401, "invalid-credentials");
      expect((await logIn(first.user.email, input.new_password)).status).to.equal(200);
    });

    it("gives each of two tabs that refresh at once a token of its own, and nobody one for a token that never was", async () => {
      const first = await register();
      const tabs = (await Promise.all([refresh(first), refresh(first)])).map((answer) => bodyOf<Session>(answer));
      for (const tab of tabs) bodyOf(await refresh(tab));
      const never = await refresh({ ...first, refresh_token: "A".repeat(64) });
      expectProblem(never, 401, "invalid-token");
      expect(never.headers["www-authenticate"]).to.include("invalid_token");
    });

    it("takes a retry with the same Idempotency-Key for the same use", async () => {
      const { refresh_token } = await register();
      const attempt = () => api.post("/users/refresh", { refresh_token }, undefined, { "idempotency-key": "one" });
      const [lost, retried] = [await attempt(), bodyOf<Session>(await attempt())];
      expect(lost.status).to.equal(200);
      expect((await refresh(retried)).status).to.equal(200);
    });

    it("lets nobody change a password who is not signed in, and refuses members that have no place", async () => {
      const { refresh_token, token } = await register();
      const forged = `${token.slice(0, -8)}AAAAAAAA`;
      const input = { current_password: password, new_password: "schwarze Kirschen im Juni" };
      expectProblem(await post("/users/me/password", input), 401, "unauthenticated");
      expectProblem(await post("/users/me/password", input, forged), 401, "invalid-token");
      for (const [path, body] of [
        ["/users/logout", { refresh_token }],
        ["/users/me/password", input],
      ] as const) {
        expectProblem(await post(path, { ...body, role: "admin" }, token), 422, "validation-failed");
        expectProblem(await post(path, {}, token), 422, "validation-failed");
      }
      expectProblem(await post("/users/refresh", { refresh_token, role: "admin" }), 422, "validation-failed");
    });

    it("slows down those who guess from many addresses, and lets the owner in on a device he has used", async () => {
      const { user, refresh_token } = await register();
      const tries = await Promise.all(Array.from({ length: 5 }, () => logIn(user.email, "a guess of somebody")));
      for (const each of tries) expectProblem(each, 401, "invalid-credentials");
      // The wait is a second at first: on a machine that stands still it may be over before somebody is made to wait.
      await until("who guesses is slowed down", async () => {
        for (let i = 0; i < 7; i++) await logIn(user.email, "a guess of somebody");
        const slowed = await logIn(user.email);
        if (slowed.status === 200) return false;
        expectProblem(slowed, 429, "too-many-attempts");
        expect(Number(slowed.headers["retry-after"])).to.be.within(1, 60);
        return true;
      });
      const owner = await post("/users/login", { email: user.email, password, refresh_token });
      expect(owner.status).to.equal(200);
      await until("the wait is over", async () => (await logIn(user.email)).status === 200);
    });

    it("changes the signing key while everybody goes on", async () => {
      let session = await register();
      const oldKid = decodeProtectedHeader(session.token).kid;
      const statuses = new Map<number, number>();
      const tokens = [session.token];
      let ended = false;
      const look = async () => {
        for (let i = 0; !ended; i++) {
          const { status } = await api.get("/users/me", tokens[i % tokens.length]);
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      const looking = Promise.all(Array.from({ length: 4 }, look));
      expect((await rotateKeys(["--key-lead", "3"])).code).to.equal(0);
      const { keys } = bodyOf<JSONWebKeySet>(await api.get("/.well-known/jwks.json"));
      expect(keys.map(({ kid }) => kid))
        .to.have.length(2)
        .and.include(oldKid);
      await until("the new key has signed ten tokens", async () => {
        session = bodyOf<Session>(await refresh(session));
        tokens.push(session.token);
        return tokens.filter((token) => decodeProtectedHeader(token).kid !== oldKid).length === 10;
      });
      await until("they have gone on for long", () => (statuses.get(200) ?? 0) > 100);
      ended = true;
      await looking;
      expect([...statuses.keys()]).to.deep.equal([200]);
      for (const token of tokens) await jwtVerify(token, createLocalJWKSet({ keys }), { algorithms: ["ES256"] });
    });

    async function rotateKeys(args: readonly string[]) {
      const folder = dirname((await shop.databases())("users"));
      return runCommand(folder, ["keys:rotate", ...args], { DATA_DIR: folder });
    }
  });
}

describe("the command keys:rotate", () => {
  const folder = mkdtempSync(join(tmpdir(), "quartet-keys-"));
  after(() => rmSync(folder, { recursive: true }));

  it("refuses a folder without users.db, and makes none", async () => {
    const { code, output } = await runCommand(folder, ["keys:rotate"], { DATA_DIR: folder });
    expect(code).to.equal(1);
    expect(output).to.include(`DATA_DIR=${folder}`).and.not.include("    at ");
    expect((await runCommand(folder, ["keys:rotate"], { DATA_DIR: folder })).code).to.equal(1);
  });

  it("refuses where the key is a file of the operator's own", async () => {
    const { code, output } = await runCommand(folder, ["keys:rotate"], { JWT_KEY_FILE: "key.pem" });
    expect(code).to.equal(1);
    expect(output).to.include("JWT_KEY_FILE").and.not.include("    at ");
  });
});

async function runCommand(cwd: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const command = startShopProcess({ cwd, args, env });
  const { code } = await command.exited;
  return { code, output: command.output() };
}

function expectProblem(answer: Answer, status: number, name: string): void {
  expect(answer.body).to.deep.include({ type: `/problems/${name}`, status });
  expect([answer.status, answer.headers["content-type"]]).to.deep.equal([status, "application/problem+json"]);
}
