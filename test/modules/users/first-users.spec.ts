import { expect } from "chai";
import { as, emailsOf, GOOD_PASSWORD, restartUsers, startUsers } from "./users-system.ts";

const nobody = as(null);
const admin = { email: "root@example.com", password: GOOD_PASSWORD };

describe("the first users", () => {
  const suite = restartUsers();
  const { start } = suite;

  it("are none where none are asked for", async () => {
    expect(await emailsOf(await start())).to.deep.equal([]);
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
    const both = await Promise.all([startUsers(suite.folder, { admin }), startUsers(suite.folder, { admin })]);
    try {
      const wrote = await Promise.all(both.map(({ seed }) => seed()));
      expect(wrote.filter((words) => words !== undefined)).to.have.length(1);
      for (const { client } of both) {
        expect((await client.getJwks({}, nobody)).keys).to.have.length(1);
        expect((await client.loginUser(admin, nobody)).user.role).to.equal("admin");
      }
      const [one, other] = await Promise.all(both.map(emailsOf));
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
