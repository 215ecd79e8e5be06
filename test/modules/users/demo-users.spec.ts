import { expect } from "chai";
import { as, emailsOf, GOOD_PASSWORD, problemOf, restartUsers, type UsersSystem } from "./users-system.ts";

const nobody = as(null);
const admin = { email: "root@example.com", password: GOOD_PASSWORD };

describe("the demo accounts", () => {
  const { start } = restartUsers();

  it("are an admin and a customer", async () => {
    const { client, seed } = await start();
    expect(await seed())
      .to.include("admin@example.com")
      .and.include("customer@example.com");
    const [first, second] = await Promise.all([
      client.loginUser({ email: "admin@example.com", password: "admin-demo-password" }, nobody),
      client.loginUser({ email: "customer@example.com", password: "customer-demo-password" }, nobody),
    ]);
    expect([first.user.role, second.user.role]).to.deep.equal(["admin", "customer"]);
  });

  it("are seeded beside the configured admin", async () => {
    const started = await start({ admin });
    expect(await started.seed()).to.be.a("string");
    expect(await emailsOf(started)).to.have.members([admin.email, "admin@example.com", "customer@example.com"]);
  });

  it("are not seeded twice, nor by two at once", async () => {
    const { seed } = await start();
    const wrote = await Promise.all([seed(), seed()]);
    expect(wrote.filter((words) => words !== undefined)).to.have.length(1);
    const again = await start();
    expect(await again.seed()).to.equal(undefined);
    expect(await emailsOf(again)).to.have.length(2);
  });

  it("keep a shop that refuses them from starting, until their passwords are others", async () => {
    const { client, seed } = await start();
    await seed();
    const refuse = (isServing = false) =>
      start({ refusesDemoUsers: true }, isServing).then(
        () => "started",
        (error: Error) => `${error.name}: ${error.message}`,
      );
    expect(await refuse()).to.match(/^StartRefusal: users: admin@example\.com still has its demo password/);
    expect(await refuse()).to.not.include("admin-demo-password");
    expect(await refuse(true)).to.equal(await refuse());
    const again = await start();
    await changePassword(again, "admin@example.com", "admin-demo-password");
    expect(await refuse()).to.match(/customer@example\.com still has its demo password/);
    await changePassword(await start(), "customer@example.com", "customer-demo-password");
    expect(await refuse()).to.equal("started");
    expect(client).to.be.an("object");
  });

  async function changePassword({ client }: UsersSystem, email: string, password: string): Promise<void> {
    const { user } = await client.loginUser({ email, password }, nobody);
    const change = { current_password: password, new_password: GOOD_PASSWORD };
    await client.changePassword(change, as({ id: user.id, role: user.role }));
  }

  it("are not seeded where there is anybody", async () => {
    const started = await start();
    await started.client.registerUser({ name: "Ada", email: "ada@example.com", password: GOOD_PASSWORD }, nobody);
    expect(await started.seed()).to.equal(undefined);
    const login = started.client.loginUser({ email: "admin@example.com", password: "admin-demo-password" }, nobody);
    expect(await problemOf(login)).to.include({ code: "invalid-credentials" });
  });
});
