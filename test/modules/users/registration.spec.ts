import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { as, GOOD_PASSWORD, makeFolder, problemOf, startUsers, type UsersSystem } from "./users-system.ts";

const ada = { name: "Ada", email: "ada@example.com", password: GOOD_PASSWORD };
const key = { idempotencyKey: "8e03978e-40d5-43dd-bc93-6894a57f9324" };
const nobody = as(null);

describe("registering with an Idempotency-Key", () => {
  const folder = makeFolder();
  let system: UsersSystem;
  before(async () => {
    // A clock that stands: how long guesses have to wait does not pass while they are made.
    const nowMs = Date.now();
    system = await startUsers(folder.path, { now: () => nowMs, monotonicMs: () => nowMs });
  });
  beforeEach(() => {
    system.store.prepare("DELETE FROM users").run();
    system.store.prepare("DELETE FROM answers").run();
  });
  afterEach(() => {
    expect(system.unexpected).to.deep.equal([]);
  });
  after(async () => {
    await system.stop();
    folder.remove();
  });

  const register = (input: object) => system.client.registerUser({ ...ada, ...input }, nobody);

  it("answers a retry with the first answer, whose tokens are good", async () => {
    const first = await register(key);
    expect(await register(key)).to.deep.equal({ ...first, replayed: true });
    expect((await system.client.refreshSession({ refresh_token: first.refresh_token }, nobody)).user).to.deep.equal(
      first.user,
    );
    expect(await problemOf(register({}))).to.include({ code: "email-taken" });
  });

  it("refuses the key with another name, address or password", async () => {
    await register(key);
    for (const other of [
      { name: "Bob" },
      { email: "bob@example.com" },
      { password: `${GOOD_PASSWORD} 2` },
      { password: "x".repeat(100) },
    ]) {
      expect(await problemOf(register({ ...key, ...other }))).to.include({
        code: "idempotency-key-reused",
        status: 422,
      });
    }
    const users = system.store.prepare<[], { email: string }>("SELECT email FROM users").all();
    expect(users).to.deep.equal([{ email: ada.email }]);
  });

  it("does not let the password be guessed by the key any oftener than by signing in", async () => {
    const eve = { ...key, email: "eve@example.com" };
    await register(eve);
    const guesses = Array.from({ length: 30 }, (_, n) =>
      problemOf(register({ ...eve, password: `a guess, number ${n}` })),
    );
    const codes = (await Promise.all(guesses)).map(({ code }) => code);
    expect(codes.filter((code) => code === "idempotency-key-reused")).to.have.length(10);
    expect(codes.filter((code) => code === "too-many-attempts")).to.have.length(20);
    const credentials = { email: eve.email, password: ada.password };
    expect(await problemOf(system.client.loginUser(credentials, nobody))).to.include({ code: "too-many-attempts" });
  });

  it("refuses the key while the first still runs", async () => {
    const [first, second] = await Promise.allSettled([register(key), register(key)]);
    expect(first.status).to.equal("fulfilled");
    expect(second).to.have.nested.property("reason.code", "request-in-progress");
  });

  it("keeps no failure", async () => {
    expect(await problemOf(register({ ...key, password: "short" }))).to.include({ code: "weak-password" });
    expect((await register(key)).user.name).to.equal("Ada");
  });

  it("keeps nothing from which tokens could be read, or the password guessed quickly", async () => {
    const { token, refresh_token } = await register(key);
    const kept = JSON.stringify(system.store.prepare("SELECT * FROM answers").all());
    for (const secret of [token, refresh_token, ada.email, key.idempotencyKey, "$2"])
      expect(kept).not.to.contain(secret);
  });

  it("forgets the answer with the person, who may register anew with the same key", async () => {
    const { user } = await register(key);
    await system.client.eraseMe({}, as({ id: user.id, role: user.role }));
    expect(system.store.prepare("SELECT * FROM answers").all()).to.deep.equal([]);
    expect(readFileSync(join(folder.path, "users.db"), "latin1")).not.to.contain(ada.email);
    const anew = await register(key);
    expect(anew).not.to.have.property("replayed");
    expect(anew.user.id).not.to.equal(user.id);
  });
});
