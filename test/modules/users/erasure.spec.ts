import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import type { Session } from "../../../src/modules/users/contract.ts";
import { readUserIds } from "../../../src/modules/users/user-ids.ts";
import { until } from "../../support/process.ts";
import { as, GOOD_PASSWORD, makeFolder, problemOf, startUsers, type UsersSystem } from "./users-system.ts";

const nobody = as(null);
const root = as({ id: "0190a000-0000-7000-8000-000000000000", role: "admin" });
const of = ({ user }: Session) => as({ id: user.id, role: user.role });

describe("a person who is erased", () => {
  const folder = makeFolder();
  let system: UsersSystem;
  before(async () => {
    system = await startUsers(folder.path);
  });
  after(async () => {
    expect(system.unexpected).to.deep.equal([]);
    await system.stop();
    folder.remove();
  });

  let count = 0;
  const register = (name: string) => {
    count += 1;
    const email = `${name.toLowerCase().replaceAll(" ", "-")}-${count}@example.com`;
    return system.client.registerUser({ name, email, password: GOOD_PASSWORD }, nobody);
  };
  const erase = (session: Session) => system.client.eraseMe({}, of(session));
  const bytesOf = (file: string) => readFileSync(join(folder.path, file), "latin1");

  it("is not found any more, by anybody", async () => {
    const ada = await register("Ada");
    expect(await erase(ada)).to.deep.equal({});
    for (const look of [
      () => system.client.getMe({}, of(ada)),
      () => system.client.getUser({ id: ada.user.id }, of(ada)),
      () => system.client.getUser({ id: ada.user.id }, root),
    ]) {
      expect(await problemOf(look())).to.include({ code: "not-found" });
    }
    const { data } = await system.client.listUsers({ limit: 100 }, root);
    expect(data.map(({ id }) => id)).not.to.include(ada.user.id);
  });

  it("cannot sign in, refresh or change the password", async () => {
    const ada = await register("Ada");
    const { email } = ada.user;
    await erase(ada);
    const attempts = {
      "invalid-credentials": () => system.client.loginUser({ email, password: GOOD_PASSWORD }, nobody),
      "invalid-token": () => system.client.refreshSession({ refresh_token: ada.refresh_token }, nobody),
    };
    for (const [code, attempt] of Object.entries(attempts)) expect(await problemOf(attempt())).to.include({ code });
    const change = { current_password: GOOD_PASSWORD, new_password: `${GOOD_PASSWORD} 2` };
    expect(await problemOf(system.client.changePassword(change, of(ada)))).to.include({ code: "invalid-credentials" });
  });

  it("may register again with the same address, as somebody new", async () => {
    const ada = await register("Ada");
    await erase(ada);
    const { name, email } = ada.user;
    const anew = await system.client.registerUser({ name, email, password: GOOD_PASSWORD }, nobody);
    expect(anew.user.id).not.to.equal(ada.user.id);
    await erase(ada);
    expect(await system.client.getMe({}, of(anew))).to.deep.equal(anew.user);
  });

  it("is erased once, however often it is asked; one who never was is not found", async () => {
    const ada = await register("Ada");
    await Promise.all([erase(ada), erase(ada)]);
    expect(await erase(ada)).to.deep.equal({});
    const stranger = as({ id: "0190a000-0000-7000-8000-00000000000f", role: "customer" });
    expect(await problemOf(system.client.eraseMe({}, stranger))).to.include({ code: "not-found" });
  });

  it("leaves no trace of who has tried to sign in as them", async () => {
    const ada = await register("Ada");
    const wrong = { current_password: "not the one of Ada", new_password: GOOD_PASSWORD };
    await problemOf(system.client.loginUser({ email: ada.user.email, password: "not the one of Ada" }, nobody));
    await problemOf(system.client.changePassword(wrong, of(ada)));
    const lanes = () => system.store.prepare("SELECT lane FROM failed_attempts").all();
    const before = lanes().length;
    await erase(ada);
    expect(before - lanes().length).to.equal(2);
  });

  it("leaves nobody else without account or session", async () => {
    const [ada, bob] = [await register("Ada"), await register("Bob")];
    await erase(ada);
    expect(await system.client.getMe({}, of(bob))).to.deep.equal(bob.user);
    expect((await system.client.refreshSession({ refresh_token: bob.refresh_token }, nobody)).user).to.deep.equal(
      bob.user,
    );
  });

  it("is still known by the id, for the books of orders", async () => {
    const ada = await register("Ada");
    await erase(ada);
    expect(await readUserIds(system.store)).to.include(ada.user.id);
  });

  it("may be an admin, but not the last", async () => {
    const [ada, bob] = [await register("Ada"), await register("Bob")];
    system.store
      .prepare<[string, string]>("UPDATE users SET role = 'admin' WHERE id IN (?, ?)")
      .run(ada.user.id, bob.user.id);
    const outcomes = await Promise.allSettled([erase(ada), erase(bob)]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected"]);
    expect(await problemOf(erase(bob))).to.include({ code: "forbidden", status: 403 });
    expect((await system.client.getMe({}, of(bob))).id).to.equal(bob.user.id);
  });

  it("leaves the write-ahead log, too, as soon as a backup has read it", async () => {
    const ada = await register("Adalgunde");
    const backup = new Database(join(folder.path, "users.db"), { readonly: true });
    backup.exec("BEGIN");
    backup.prepare("SELECT count(*) FROM users").get();
    await erase(ada);
    const isLeft = () => `${bytesOf("users.db")}${bytesOf("users.db-wal")}`.includes("adalgunde");
    expect(isLeft()).to.equal(true);
    backup.close();
    await until("nothing is left", () => !isLeft());
  });

  it("leaves no byte of name, address, password or sessions in the files, also where pages were split and rewritten", async () => {
    const crowd: Session[] = [];
    for (let n = 0; n < 60; n += 1) {
      crowd.push(await register(`Grunhilde Vanishing ${n}`));
      await register(`Bob who stays ${n}`);
    }
    const [first] = crowd;
    if (first === undefined) throw new Error("there is nobody");
    await system.client.changePassword(
      { current_password: GOOD_PASSWORD, new_password: `${GOOD_PASSWORD} 2` },
      of(first),
    );
    const secrets = system.store
      .prepare<[], { hash: string }>("SELECT password_hash AS hash FROM users WHERE name LIKE 'Grunhilde%'")
      .all()
      .map(({ hash }) => hash);
    const handles = system.store
      .prepare<[], { hash: string }>(
        "SELECT handle_hash AS hash FROM sessions JOIN users ON users.id = user_id WHERE name LIKE 'Grunhilde%'",
      )
      .all()
      .map(({ hash }) => hash);
    const all = ["Grunhilde", "grunhilde", ...secrets, ...handles];
    expect(all).to.have.length(2 + 60 + 60);
    const before = bytesOf("users.db") + bytesOf("users.db-wal");
    for (const text of all) expect(before.includes(text), text).to.equal(true);
    for (const session of crowd) await erase(session);
    const after = bytesOf("users.db") + bytesOf("users.db-wal");
    for (const text of all) expect(after.includes(text), text).to.equal(false);
  });
});
