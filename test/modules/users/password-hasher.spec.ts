import { setImmediate as nextTurn } from "node:timers/promises";
import { truncates } from "bcryptjs";
import { expect } from "chai";
import { createPasswordHasher, type PasswordHasher } from "../../../src/modules/users/passwords/password-hasher.ts";
import { problemOf } from "./users-system.ts";

describe("password hasher", () => {
  let hasher: PasswordHasher;

  afterEach(() => hasher.stop());

  it("knows a password by its hash, which differs each time", async () => {
    hasher = createPasswordHasher({ cost: 4 });
    const [hash, other] = await Promise.all([hasher.hash("one password"), hasher.hash("one password")]);
    expect(hash).not.to.equal(other);
    expect(await hasher.matches("one password", hash, 4)).to.equal(true);
    expect(await hasher.matches("no password", hash, 4)).to.equal(false);
  });

  it("has no password that matches nobody's hash", async () => {
    hasher = createPasswordHasher({ cost: 4 });
    for (const password of ["", "x", "\0", "x".repeat(1_000)]) {
      expect(await hasher.matches(password, undefined, 4)).to.equal(false);
    }
  });

  it("leaves the event loop free meanwhile", async () => {
    hasher = createPasswordHasher({ cost: 10, threads: 1 });
    await hasher.hash("start the thread");
    const turnsOfOne = async () => {
      let turns = 0;
      let done = false;
      const hashing = hasher.hash("any password").finally(() => {
        done = true;
      });
      while (!done) {
        await nextTurn();
        turns++;
      }
      await hashing;
      return turns;
    };
    // On this thread bcryptjs would give way about once in 100 ms, however often; others may have had the core during one.
    const turns: number[] = [];
    for (let round = 0; round < 10 && Math.max(0, ...turns) <= 20; round++) turns.push(await turnsOfOne());
    expect(Math.max(...turns)).to.be.greaterThan(20);
  });

  it("refuses what is more than may wait, and takes more when that is done", async () => {
    hasher = createPasswordHasher({ cost: 4, threads: 1, queuePerThread: 2 });
    const accepted = [hasher.hash("1"), hasher.hash("2"), hasher.hash("3")];
    expect(await problemOf(hasher.hash("4"))).to.include({ code: "overloaded", status: 503 });
    await Promise.all(accepted);
    expect(await hasher.hash("5")).to.be.a("string");
  });

  it("stops without ever having started", async () => {
    hasher = createPasswordHasher({ cost: 4 });
    await hasher.stop();
  });

  it("is not asked for more than bcrypt reads: this is where it would cut", () => {
    hasher = createPasswordHasher({ cost: 4 });
    expect(truncates("x".repeat(72))).to.equal(false);
    expect(truncates("x".repeat(73))).to.equal(true);
  });
});
