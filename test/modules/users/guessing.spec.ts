import { getRounds, hashSync } from "bcryptjs";
import { expect } from "chai";
import type { Session } from "../../../src/modules/users/contract.ts";
import type { UsersSettings } from "../../../src/modules/users/index.ts";
import { matches } from "../../../src/modules/users/passwords/password-worker.ts";
import { as, GOOD_PASSWORD, makeFolder, problemOf, seen, startUsers, type UsersSystem } from "./users-system.ts";

const ada = { name: "Ada", email: "Ada@Example.com", password: GOOD_PASSWORD };
const { name: _, ...credentials } = ada;
const nobody = as(null);

describe("guessing passwords", () => {
  const folder = makeFolder();
  let system: UsersSystem;
  let session: Session;
  let nowMs: number;
  /** By which the machine's clock is wrong. */
  let stepMs = 0;

  async function start(settings: Partial<UsersSettings> = {}): Promise<void> {
    const clocks = { now: () => nowMs + stepMs, monotonicMs: () => nowMs };
    system = await startUsers(folder.path, { freeFailures: 3, ...clocks, ...settings });
  }

  before(() => {
    nowMs = Date.now();
    return start();
  });
  beforeEach(async () => {
    nowMs += 3_600_000; // all failures are forgotten
    system.store.prepare("DELETE FROM users").run();
    session = await system.client.registerUser(ada, nobody);
  });
  afterEach(() => {
    expect(system.unexpected).to.deep.equal([]);
  });
  after(async () => {
    await system.stop();
    folder.remove();
  });

  async function restart(settings: Partial<UsersSettings> = {}): Promise<void> {
    await system.stop();
    await start(settings);
  }

  const logIn = (input: object = {}) => system.client.loginUser({ ...credentials, ...input }, nobody);
  const guess = (input: object = {}) => problemOf(logIn({ password: "not the one of Ada", ...input }));
  async function guessTimes(times: number, input: object = {}): Promise<void> {
    for (let i = 0; i < times; i++) expect(await guess(input)).to.include({ code: "invalid-credentials" });
  }

  it("goes on slowing it down, no longer than before, when the machine's clock jumps", async () => {
    await guessTimes(3);
    for (stepMs of [31_536_000_000, 86_400_000, -3_600_000, 0]) {
      const problem = await guess();
      expect(problem).to.include({ code: "too-many-attempts" });
      expect(problem.options.retryAfterSeconds).to.equal(1);
    }
    nowMs += 1_000;
    await logIn();
  });

  it("slows the account down, for its owner too, and tells how long", async () => {
    await guessTimes(3);
    const problem = await problemOf(logIn());
    expect(problem).to.include({ code: "too-many-attempts", status: 429 });
    expect(problem.options.retryAfterSeconds).to.equal(1);
    nowMs += 1_000;
    expect(await logIn()).to.have.property("token");
    expect(await logIn(), "the success ends it").to.have.property("token");
  });

  it("slows it down whatever the case of the address", async () => {
    await guessTimes(1, { email: "ada@example.com" });
    await guessTimes(1, { email: "ADA@EXAMPLE.COM" });
    await guessTimes(1);
    expect(await guess()).to.include({ code: "too-many-attempts" });
  });

  it("tells nothing of who has an account: a strange address is slowed down in the same way", async () => {
    const stranger = { email: "eve@example.com" };
    for (let i = 0; i < 6; i++) {
      const [known, unknown] = [await guess(), await guess(stranger)];
      expect(seen(unknown)).to.equal(seen(known));
      nowMs += i < 4 ? 1_000 : 0;
    }
  });

  it("of one account slows down no other", async () => {
    await guessTimes(3);
    await system.client.registerUser({ ...ada, email: "eve@example.com" }, nobody);
    expect(await logIn({ email: "eve@example.com" })).to.have.property("token");
  });

  it("does not slow down a device that is signed in: it goes on without a password", async () => {
    await guessTimes(3);
    const { refresh_token } = session;
    expect(await system.client.refreshSession({ refresh_token }, nobody)).to.have.property("token");
  });

  it("does not slow down a device that was signed in before, be its token spent or its session ended", async () => {
    const { refresh_token } = session;
    const next = await system.client.refreshSession({ refresh_token }, nobody);
    const owner = as({ id: session.user.id, role: "customer" });
    await system.client.logoutUser({ refresh_token: next.refresh_token }, owner);
    await guessTimes(3);
    expect(await logIn({ refresh_token })).to.have.property("token");
    expect(await guess(), "which opens nothing to others").to.include({ code: "too-many-attempts" });
  });

  it("with a device's token is slowed down for that device alone", async () => {
    const { refresh_token } = session;
    await guessTimes(3, { refresh_token });
    expect(await guess({ refresh_token })).to.include({ code: "too-many-attempts" });
    expect(await logIn()).to.have.property("token");
  });

  it("gains nothing by a device's token of another account, or by one that is made up", async () => {
    const eve = await system.client.registerUser({ ...ada, email: "eve@example.com" }, nobody);
    await guessTimes(3);
    for (const refresh_token of [eve.refresh_token, "A".repeat(64), "nonsense"]) {
      expect(await guess({ refresh_token })).to.include({ code: "too-many-attempts" });
    }
  });

  it("by a stolen token is slowed down where the password is changed", async () => {
    const thief = as({ id: session.user.id, role: "customer" });
    const change = (current_password: string) =>
      system.client.changePassword({ current_password, new_password: "schwarze Kirschen im Juni" }, thief);
    for (let i = 0; i < 3; i++) {
      expect(await problemOf(change("not the one"))).to.include({ code: "invalid-credentials" });
    }
    expect(await problemOf(change(ada.password))).to.include({ code: "too-many-attempts", status: 429 });
    expect(await logIn(), "and nowhere else").to.have.property("token");
  });

  it("is not forgiven by a restart", async () => {
    await guessTimes(3);
    await restart();
    expect(await guess()).to.include({ code: "too-many-attempts" });
    nowMs += 1_000;
    expect(await logIn()).to.have.property("token");
  });

  describe("learns nothing from the time it takes", () => {
    after(() => restart());

    const costsOf = () =>
      system.store
        .prepare<[], { hash: string }>("SELECT password_hash AS hash FROM users ORDER BY id")
        .all()
        .map(({ hash }) => getRounds(hash));

    /** The work of a comparison that fails, in CPU time of this thread. */
    function workOf(hash: string): number {
      const before = process.threadCpuUsage();
      expect(matches({ password: "no password", hash, cost: 8 })).to.equal(false);
      return process.threadCpuUsage(before).user;
    }

    it("however long ago a password was hashed, at whatever cost", () => {
      const costs = [8, 4, 6, 7];
      const hashes = costs.map((cost) => hashSync("any", cost));
      // By turns, and the least of each, for the rest is noise. Work that is left out is half of it or more.
      const rounds: number[][] = [];
      const ratios = () => {
        const [reference = 0, ...others] = costs.map((_, at) => Math.min(...rounds.map((round) => round[at] ?? 0)));
        return others.map((work) => work / reference);
      };
      const isAlike = (ratio: number) => ratio >= 0.7 && ratio <= 1.4;
      // More of them where the machine is so noisy that nine do not do.
      while (rounds.length < 9 || (rounds.length < 90 && !ratios().every(isAlike))) rounds.push(hashes.map(workOf));
      for (const [index, ratio] of ratios().entries()) {
        expect(ratio, `cost ${costs[index + 1]}`).to.be.within(0.7, 1.4);
      }
    });

    it("because the cost of all follows the highest that there is", async () => {
      await restart({ bcryptCost: 8 });
      await system.client.registerUser({ ...ada, email: "eve@example.com" }, nobody);
      await restart({ bcryptCost: 4, freeFailures: 100 });
      expect(costsOf()).to.deep.equal([4, 8]);
      await guessTimes(1); // starts the thread
      const emails = [ada.email, "eve@example.com", "nobody@example.com"];
      const asked = emails.map(() => Number.POSITIVE_INFINITY);
      const ratio = () => Math.max(...asked) / Math.min(...asked);
      for (let round = 0; round < 4 || (round < 30 && ratio() >= 2); round++) {
        for (const [at, email] of emails.entries()) {
          const before = process.cpuUsage();
          await guessTimes(1, { email });
          asked[at] = Math.min(asked[at] ?? 0, process.cpuUsage(before).user);
        }
      }
      expect(ratio()).to.be.lessThan(2); // without it: 16 times the work
    });

    it("and the next sign-in hashes the password at the cost that is set", async () => {
      for (const bcryptCost of [6, 5]) {
        await restart({ bcryptCost });
        await guessTimes(1);
        await logIn();
        expect(costsOf()).to.deep.equal([bcryptCost]);
        expect(await logIn()).to.have.property("token");
      }
    });

    it("also when many sign in at once", async () => {
      await restart({ bcryptCost: 5 });
      const sessions = await Promise.all(Array.from({ length: 8 }, () => logIn()));
      expect(sessions).to.have.length(8);
      expect(costsOf()).to.deep.equal([5]);
    });

    it("and finds the highest cost at the end of an index", () => {
      const plan = system.store
        .prepare<[], { detail: string }>(
          "EXPLAIN QUERY PLAN SELECT substr(password_hash, 5, 2) AS cost FROM users ORDER BY substr(password_hash, 5, 2) DESC LIMIT 1",
        )
        .all();
      expect(plan.map(({ detail }) => detail).join())
        .to.include("users_by_hash_cost")
        .and.not.include("TEMP B-TREE");
    });
  });
});
