import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { newSessionToken, nextToken, sha256 } from "../../../src/modules/users/sessions/refresh-token.ts";
import { newAccount } from "../../../src/modules/users/user.ts";
import { openStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { as, makeFolder, problemOf, startUsers, type UsersSystem } from "./users-system.ts";

const MIGRATIONS = new URL("../../../src/modules/users/migrations/", import.meta.url);
const nobody = as(null);

describe("sessions of a database from before tabs could refresh at once", () => {
  const folder = makeFolder();
  const [first, revoked] = [newSessionToken(), newSessionToken()];
  const second = nextToken(first.text);
  let system: UsersSystem;

  before(async () => {
    await writeOlder();
    system = await startUsers(folder.path);
  });
  after(async () => {
    await system.stop();
    folder.remove();
  });

  const refresh = (refresh_token: string, key?: string) =>
    system.client.refreshSession({ refresh_token, ...(key && { idempotencyKey: key }) }, nobody);

  it("go on, a lost answer too, and what ended stays ended", async () => {
    expect(await problemOf(refresh(revoked.text))).to.include({ code: "invalid-token" });
    const third = await refresh(first.text, "lost");
    await refresh(third.refresh_token);
    expect(await problemOf(refresh(second.text)), "what was lost counts as used").to.include({ code: "invalid-token" });
    expect(await problemOf(refresh(third.refresh_token))).to.include({ code: "invalid-token" });
  });

  /** The schema without what came later, one session whose last answer was lost, and one that was revoked. */
  async function writeOlder(): Promise<void> {
    const older = join(folder.path, "older");
    cpSync(MIGRATIONS, older, { recursive: true });
    for (const name of readdirSync(older)) if (name >= "0005") rmSync(join(older, name), { recursive: true });
    const file = join(folder.path, "users.db");
    const store = openStore({ name: "users", file, migrations: pathToFileURL(`${older}/`) });
    const { id, name, email, role, created_at } = newAccount(
      { name: "Ada", email: "a@b", role: "customer" },
      "",
      Date.now(),
    );
    const expires = new Date(Date.now() + 3_600_000).toISOString();
    await store.write(function* () {
      const user = store.prepare<unknown[]>(
        `INSERT INTO users (id, name, email, canonical_email, role, password_hash, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      );
      user.run(id, name, email, email, role, "$2b$04$", created_at);
      const session = store.prepare<unknown[]>("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?)");
      session.run(first.handleHash, id, second.tokenHash, first.tokenHash, sha256("lost"), expires);
      session.run(revoked.handleHash, id, null, null, null, expires);
    });
    await store.close();
  }
});
