import { expect } from "chai";
import type { Session } from "../../../src/modules/users/contract.ts";
import { as, GOOD_PASSWORD, makeFolder, problemOf, seen, startUsers, type UsersSystem } from "./users-system.ts";

const ada = { name: "Ada", email: "ada@example.com", password: GOOD_PASSWORD };
const { name: _, ...credentials } = ada;
const NEW_PASSWORD = "schwarze Kirschen im Juni";
const DAY_MS = 86_400_000;
const nobody = as(null);
const asUser = ({ user }: Session) => as({ id: user.id, role: user.role });

describe("sessions", () => {
  const folder = makeFolder();
  let system: UsersSystem;
  let nowMs: number;
  let monotonicMs: number;
  const settings = { now: () => nowMs, monotonicMs: () => monotonicMs };

  before(async () => {
    nowMs = Date.now();
    monotonicMs = 5_000;
    system = await startUsers(folder.path, settings);
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

  const register = (email = ada.email) => system.client.registerUser({ ...ada, email }, nobody);
  const logIn = () => system.client.loginUser(credentials, nobody);
  const refresh = ({ refresh_token }: Pick<Session, "refresh_token">, idempotencyKey?: string) =>
    system.client.refreshSession({ refresh_token, ...(idempotencyKey && { idempotencyKey }) }, nobody);
  const logOut = ({ refresh_token }: Session, who: Session) => system.client.logoutUser({ refresh_token }, asUser(who));
  const changePassword = (who: Session, current_password = ada.password, new_password = NEW_PASSWORD) =>
    system.client.changePassword({ current_password, new_password }, asUser(who));
  const countRows = () => system.store.prepare<[], { n: number }>("SELECT count(*) AS n FROM sessions").get()?.n;

  async function expectNotGood(token: Pick<Session, "refresh_token">): Promise<void> {
    expect(await problemOf(refresh(token))).to.include({ code: "invalid-token", status: 401 });
  }

  describe("are refreshed", () => {
    it("for login's body, with a new token and the next refresh token", async () => {
      const first = await register();
      const second = await refresh(first);
      expect(second).to.have.keys(Object.keys(first));
      expect(second.user).to.deep.equal(first.user);
      expect(second.token).not.to.equal(first.token);
      expect(second.refresh_token).not.to.equal(first.refresh_token);
      const third = await refresh(second);
      expect(new Set([first, second, third].map((session) => session.refresh_token)).size).to.equal(3);
    });

    it("as the user is now", async () => {
      const session = await register();
      system.store.prepare("UPDATE users SET role = 'admin'").run();
      expect((await refresh(session)).user.role).to.equal("admin");
    });

    it("never when the account is gone", async () => {
      const session = await register();
      system.store.prepare("DELETE FROM users").run();
      await expectNotGood(session);
    });

    it("with one token once: the second use revokes the whole session", async () => {
      const first = await logInAnew();
      const second = await refresh(first);
      monotonicMs += 10_000;
      await expectNotGood(first);
      await expectNotGood(second);
    });

    it("with one token once, also when an old one comes long after", async () => {
      const first = await logInAnew();
      const second = await refresh(first);
      const third = await refresh(second);
      monotonicMs += 10_000;
      await expectNotGood(first);
      await expectNotGood(third);
    });

    describe("by several tabs with one token", () => {
      const HOUR_MS = 3_600_000;

      it("at once: each gets a token of its own, which works an hour later", async () => {
        const first = await logInAnew();
        const tabs = await Promise.all(Array.from({ length: 10 }, () => refresh(first)));
        expect(new Set(tabs.map(({ refresh_token }) => refresh_token)).size).to.equal(10);
        nowMs += HOUR_MS;
        monotonicMs += HOUR_MS;
        for (const tab of tabs) expect(await refresh(tab)).to.have.property("token");
        await expectNotGood(first);
        for (const tab of tabs) await expectNotGood(tab);
      });

      it("within ten seconds, also when the token that came first has been used again", async () => {
        const first = await logInAnew();
        const second = await refresh(first);
        const third = await refresh(second);
        monotonicMs += 9_999;
        const other = await refresh(first);
        monotonicMs += HOUR_MS;
        for (const each of [third, other]) expect(await refresh(each)).to.have.property("token");
      });

      it("whatever the clock does meanwhile", async () => {
        await register();
        for (const stepMs of [DAY_MS, -DAY_MS]) {
          const first = await logIn();
          const second = await refresh(first);
          nowMs += stepMs;
          monotonicMs += 1_000;
          const other = await refresh(first);
          nowMs -= stepMs;
          for (const each of [second, other]) expect(await refresh(each)).to.have.property("token");
          monotonicMs += 10_000;
          nowMs += stepMs;
          await expectNotGood(first);
          nowMs -= stepMs;
        }
      });

      it("with one Idempotency-Key too, as of a client that makes it from the token", async () => {
        const first = await logInAnew();
        const tabs = await Promise.all(Array.from({ length: 3 }, () => refresh(first, "one")));
        monotonicMs += HOUR_MS;
        for (const tab of tabs) expect(await refresh(tab)).to.have.property("token");
      });

      it("each of which may try again with its own Idempotency-Key, also later", async () => {
        const first = await logInAnew();
        const lost = await refresh(first, "one");
        const other = await refresh(first, "two");
        await refresh(other);
        monotonicMs += HOUR_MS;
        const again = await refresh(first, "one");
        expect(await refresh(again)).to.have.property("token");
        await expectNotGood(lost);
      });

      it("again and again, though each time one of the new tokens is never used", async () => {
        let session = await logInAnew();
        for (let round = 0; round < 70; round++) {
          const [next] = await Promise.all([refresh(session), refresh(session)]);
          monotonicMs += HOUR_MS;
          session = next;
        }
        const count = system.store.prepare<[], { n: number }>("SELECT count(*) AS n FROM refresh_tokens").get();
        expect(count?.n).to.be.below(150);
      });

      it("not over a restart: what was used before it is taken for used long ago", async () => {
        const first = await logInAnew();
        const second = await refresh(first);
        await system.stop();
        system = await startUsers(folder.path, settings);
        await expectNotGood(first);
        await expectNotGood(second);
      });
    });

    it("without harm to the user's other sessions", async () => {
      const [other, stolen] = [await register(), await logIn()];
      await refresh(stolen);
      monotonicMs += 10_000;
      await expectNotGood(stolen);
      expect(await refresh(other)).to.have.property("refresh_token");
    });

    it("again by a retry with the same Idempotency-Key, whose answer was lost", async () => {
      const first = await logInAnew();
      const lost = await refresh(first, "one");
      const second = await refresh(first, "one");
      expect(second.refresh_token).not.to.equal(lost.refresh_token);
      const third = await refresh(second, "two");
      expect(await refresh(third)).to.have.property("token");
    });

    it("never by a second use with another Idempotency-Key, or after the next token was used", async () => {
      const first = await logInAnew();
      const second = await refresh(first, "one");
      monotonicMs += 10_000;
      expect(await problemOf(refresh(first, "another"))).to.include({ code: "invalid-token" });
      await expectNotGood(second);

      const other = await logIn();
      const next = await refresh(other, "one");
      const last = await refresh(next, "two");
      monotonicMs += 10_000;
      expect(await problemOf(refresh(other, "one"))).to.include({ code: "invalid-token" });
      await expectNotGood(last);
    });

    it("never by the token whose answer was taken for lost", async () => {
      const first = await logInAnew();
      const lost = await refresh(first, "one");
      monotonicMs += 10_000;
      const second = await refresh(first, "one");
      await expectNotGood(lost);
      await expectNotGood(second);
    });

    it("within thirty days, counted anew from each refresh", async () => {
      const first = await logInAnew();
      nowMs += 30 * DAY_MS - 1;
      const second = await refresh(first);
      nowMs += 30 * DAY_MS - 1;
      const third = await refresh(second);
      nowMs += 30 * DAY_MS;
      await expectNotGood(third);
    });

    it("never with anything else, and all that is not good gets the same answer", async () => {
      const session = await register();
      const used = await logIn();
      await refresh(used);
      monotonicMs += 10_000;
      const changed = session.refresh_token.replace(/^./, (first) => (first === "A" ? "B" : "A"));
      const answers: string[] = [];
      for (const refresh_token of ["x", "ü", "A".repeat(64), changed, session.token, used.refresh_token]) {
        answers.push(seen(await problemOf(refresh({ refresh_token }))));
      }
      expect(new Set(answers).size).to.equal(1);
      expect(await refresh(session), "none of these was this session's").to.have.property("token");
    });

    it("with strict input", async () => {
      const { refresh_token } = await register();
      for (const input of [{}, { refresh_token: 5 }, { refresh_token: "" }, { refresh_token, role: "admin" }]) {
        const problem = await problemOf(system.client.refreshSession(input as never, nobody));
        expect(problem).to.include({ code: "validation-failed" });
      }
    });
  });

  describe("in the database", () => {
    it("are no tokens, only hashes", async () => {
      const tokens = [await register(), await logIn()].map((session) => session.refresh_token);
      const rows = JSON.stringify(system.store.prepare("SELECT * FROM sessions").all());
      for (const token of tokens) {
        expect(rows).not.to.include(token);
        expect(rows).not.to.include(token.slice(0, 21));
        expect(rows).not.to.include(token.slice(-21));
      }
    });

    it("are one row each, however often they are refreshed", async () => {
      let session = await register();
      for (let i = 0; i < 5; i++) session = await refresh(session);
      expect(countRows()).to.equal(1);
    });

    it("keep a bounded number of tokens, however often they are refreshed", async () => {
      let session = await register();
      for (let i = 0; i < 80; i++) session = await refresh(session);
      const count = system.store.prepare<[], { n: number }>("SELECT count(*) AS n FROM refresh_tokens").get();
      expect(count?.n).to.be.below(80);
    });

    it("outlive a clock that is a year ahead for a while, though others sign in meanwhile", async () => {
      const session = await register();
      nowMs += 365 * DAY_MS;
      await register("eve@example.com");
      nowMs -= 365 * DAY_MS;
      expect(await refresh(session)).to.have.property("token");
    });

    it("outlive a start by a clock that is a year ahead for a while, though others sign in meanwhile", async () => {
      const session = await register();
      await system.stop();
      nowMs += 365 * DAY_MS;
      system = await startUsers(folder.path, settings);
      await register("eve@example.com");
      nowMs -= 365 * DAY_MS;
      expect(await refresh(session)).to.have.property("token");
    });

    it("are not shortened by a refresh while the clock is a year behind for a moment", async () => {
      const session = await register();
      nowMs -= 365 * DAY_MS;
      const next = await refresh(session);
      nowMs += 365 * DAY_MS;
      expect(await refresh(next)).to.have.property("token");
    });

    it("go when they have expired", async () => {
      await register();
      await register("eve@example.com");
      nowMs += 30 * DAY_MS;
      monotonicMs += 30 * DAY_MS;
      await logIn();
      expect(countRows()).to.equal(1);
    });

    it("are a hundred of one user at most; those that were used least recently go", async () => {
      const oldest = await register();
      const kept = await logIn();
      nowMs += 1_000;
      const used = await refresh(kept);
      for (let i = 0; i < 9; i++) await Promise.all(Array.from({ length: 11 }, logIn));
      expect(countRows()).to.equal(100);
      await expectNotGood(oldest);
      expect(await refresh(used)).to.have.property("token");
    });

    it("begin as good ones also when the clock was set back below a hundred others", async () => {
      await register();
      for (let i = 0; i < 9; i++) await Promise.all(Array.from({ length: 11 }, logIn));
      nowMs -= 3_600_000;
      expect(await refresh(await logIn())).to.have.property("token");
      nowMs += 3_600_000;
    });
  });

  describe("end", () => {
    it("with logging out, whichever of its tokens is shown", async () => {
      const first = await register();
      expect(await logOut(first, first)).to.deep.equal({});
      await expectNotGood(first);
      const other = await logIn();
      const next = await refresh(other);
      await logOut(other, other);
      await expectNotGood(next);
    });

    it("without a word about tokens that are not known, and without harm to others", async () => {
      const session = await register();
      expect(await system.client.logoutUser({ refresh_token: "nonsense" }, nobody)).to.deep.equal({});
      expect(await refresh(session)).to.have.property("token");
    });

    it("for the one that logs out, not for the user's others", async () => {
      const [here, there] = [await register(), await logIn()];
      await logOut(here, here);
      expect(await refresh(there)).to.have.property("token");
    });

    it("by the refresh token alone, when the access token has long expired", async () => {
      const session = await register();
      expect(await system.client.logoutUser({ refresh_token: session.refresh_token }, nobody)).to.deep.equal({});
      await expectNotGood(session);
    });

    it("not for one who has gone before it began", async () => {
      const session = await register();
      let looks = 0;
      const gone = { ...nobody, deadline: nobody.deadline, progress: { begun: false, isGone: () => ++looks > 1 } };
      const problem = await problemOf(system.client.logoutUser({ refresh_token: session.refresh_token }, gone));
      expect(problem).to.include({ code: "upstream-timeout" });
      expect(problem.options.extensions).to.deep.equal({ outcome: "not-begun" });
      expect(await refresh(session)).to.have.property("token");
    });
  });

  describe("after a change of the password", () => {
    it("are all over, and the new password begins another", async () => {
      const sessions = [await register(), await logIn()];
      const [mine] = sessions;
      expect(mine && (await changePassword(mine))).to.deep.equal({});
      for (const session of sessions) await expectNotGood(session);
      expect(await problemOf(logIn())).to.include({ code: "invalid-credentials" });
      const again = await system.client.loginUser({ ...credentials, password: NEW_PASSWORD }, nobody);
      expect(await refresh(again)).to.have.property("token");
    });

    it("do not begin with the old one, even when it was checked before", async () => {
      const session = await register();
      const logIns = Array.from({ length: 4 }, logIn);
      const changed = changePassword(session);
      const settled = await Promise.allSettled([...logIns, logIn(), logIn()]);
      await changed;
      for (const each of settled) if (each.status === "fulfilled") await expectNotGood(each.value);
    });

    it("go on when it failed", async () => {
      const session = await register();
      const wrong = await problemOf(changePassword(session, "not the one of Ada"));
      expect(wrong).to.include({ code: "invalid-credentials", status: 401 });
      const weak = await problemOf(changePassword(session, ada.password, "QwertyUiop123"));
      expect(weak).to.include({ code: "weak-password", status: 422 });
      expect(await refresh(session)).to.have.property("token");
      expect(await logIn()).to.have.property("token");
    });

    it("change once of two who change it at once", async () => {
      const session = await register();
      const settled = await Promise.allSettled([
        changePassword(session),
        changePassword(session, ada.password, "gelbe Birnen im August"),
      ]);
      const failed = settled.filter((each) => each.status === "rejected");
      expect(failed.map(({ reason }) => reason.code)).to.deep.equal(["invalid-credentials"]);
    });

    it("are not there for strangers, nor for a user who is gone", async () => {
      const input = { current_password: ada.password, new_password: NEW_PASSWORD };
      expect(await problemOf(system.client.changePassword(input, nobody))).to.include({ code: "unauthenticated" });
      const gone = as({ id: "0190a000-0000-7000-8000-000000000000", role: "customer" });
      expect(await problemOf(system.client.changePassword(input, gone))).to.include({ code: "invalid-credentials" });
    });
  });

  /** A session that is not the first of its user. */
  async function logInAnew(): Promise<Session> {
    await register();
    return logIn();
  }
});
