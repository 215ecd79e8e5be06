import { expect } from "chai";
import type { UsersSettings } from "../../../src/modules/users/index.ts";
import { as, GOOD_PASSWORD, makeFolder, startUsers, type UsersSystem } from "./users-system.ts";

const nobody = as(null);
const anAdmin = as({ id: "0190a000-0000-7000-8000-000000000000", role: "admin" });
const admin = { email: "root@example.com", password: GOOD_PASSWORD };

describe("the first users", () => {
  let folder: ReturnType<typeof makeFolder>;
  let system: UsersSystem | undefined;

  async function start(settings: Partial<UsersSettings> = {}): Promise<UsersSystem> {
    await system?.stop();
    system = undefined;
    system = await startUsers(folder.path, settings);
    return system;
  }

  async function emails({ client }: UsersSystem): Promise<string[]> {
    return (await client.listUsers({}, anAdmin)).data.map(({ email }) => email);
  }

  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(async () => {
    await system?.stop();
    system = undefined;
    folder.remove();
  });

  it("are none where none are asked for", async () => {
    expect(await emails(await start())).to.deep.equal([]);
  });

  it("include the configured admin, who can sign in", async () => {
    const { client } = await start({ admin });
    expect((await client.loginUser(admin, nobody)).user.role).to.equal("admin");
  });

  it("leave an admin who is there as he is", async () => {
    await start({ admin });
    const { client } = await start({ admin: { ...admin, password: "quite another password" } });
    expect((await client.loginUser(admin, nobody)).user.role).to.equal("admin");
  });

  it("never make an admin of a customer who took the address", async () => {
    const { client } = await start();
    await client.registerUser({ name: "Eve", ...admin, email: "ROOT@example.com" }, nobody);
    const again = await start({ admin });
    expect((await again.client.loginUser(admin, nobody)).user.role).to.equal("customer");
  });

  it("are one admin, one key and one set of demo accounts where two processes start at the same moment", async () => {
    const both = await Promise.all([startUsers(folder.path, { admin }), startUsers(folder.path, { admin })]);
    try {
      const wrote = await Promise.all(both.map(({ seed }) => seed()));
      expect(wrote.filter((words) => words !== undefined)).to.have.length(1);
      for (const { client } of both) {
        expect((await client.getJwks({}, nobody)).keys).to.have.length(1);
        expect((await client.loginUser(admin, nobody)).user.role).to.equal("admin");
      }
      const [one, other] = await Promise.all(both.map(emails));
      expect(one).to.deep.equal(other).and.to.have.length(3);
    } finally {
      await Promise.all(both.map(({ stop }) => stop()));
    }
  });

  it("have no admin with a weak password: it does not start, and does not tell the password", async () => {
    const failure = await start({ admin: { ...admin, password: "qwertyuiop123" } }).catch((error: Error) => error);
    expect(String(failure))
      .to.match(/first admin .* most common/)
      .and.not.include("qwertyuiop123");
  });
});
