import { expect } from "chai";
import { findModuleRole } from "../../../src/store/engines/postgres/module-role.ts";
import { StoreRefusal } from "../../../src/store/refusal.ts";
import { ask, missingPostgres, type PostgresServer, startPostgresServer } from "../../support/postgres.ts";

describe("modules that share a database of PostgreSQL", () => {
  let server: PostgresServer;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    server = await startPostgresServer();
    await server.query("CREATE ROLE maker LOGIN CREATEROLE");
    await server.query("CREATE ROLE plain LOGIN");
  });
  after(() => server?.stop());

  /** A database whose owner is this role. */
  async function databaseOf(owner: string): Promise<string> {
    const url = new URL(await server.createDatabase());
    await server.query(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${owner}`);
    url.username = owner;
    return url.href;
  }

  /** Runs a statement as a role, in the way that the engine assumes it. */
  const askAs = (url: string, role: string | undefined, text: string) =>
    ask(`${url}?options=${encodeURIComponent(`-c role=${role}`)}`, text);

  it("have a role each, which cannot see another's schema", async () => {
    const url = await databaseOf("maker");
    const [users, orders] = [
      await findModuleRole({ name: "users", url }),
      await findModuleRole({ name: "orders", url }),
    ];
    expect([users.told, orders.told]).to.deep.equal([undefined, undefined]);
    await askAs(url, users.role, "CREATE TABLE users.secrets AS SELECT 1 AS secret");
    expect(await askAs(url, users.role, "SELECT secret FROM users.secrets")).to.deep.equal([{ secret: 1 }]);
    for (const statement of [
      "SELECT secret FROM users.secrets",
      "CREATE TABLE users.other (id INTEGER)",
      "DROP SCHEMA users CASCADE",
    ]) {
      const refused = await askAs(url, orders.role, statement).catch((error: Error) => error);
      expect(refused, statement).to.be.an("error").with.property("code", "42501");
    }
  });

  it("have the same one the next time, and when all begin at once", async () => {
    const url = await databaseOf("maker");
    const names = ["users", "products", "orders"];
    const all = () => Promise.all(names.map((name) => findModuleRole({ name, url })));
    const first = await all();
    expect(new Set(first.map(({ role }) => role)).size).to.equal(names.length);
    expect(await all()).to.deep.equal(first);
    const other = await databaseOf("maker");
    expect((await findModuleRole({ name: "users", url: other })).role, "of another database").to.not.equal(
      first[0]?.role,
    );
  });

  it("have schemas alone, and are told so, where there may be no roles", async () => {
    const url = await databaseOf("plain");
    for (let time = 1; time <= 2; time += 1) {
      const { role, told } = await findModuleRole({ name: "users", url });
      expect(role).to.equal(undefined);
      expect(told).to.match(/^the schema users belongs to plain, .*CREATEROLE/);
    }
  });

  it("are refused in one line where it cannot be reached, or does not let them in", async () => {
    const away = "postgres://maker@127.0.0.1:1/shop";
    const unknown = new URL(server.url);
    unknown.username = "nobody";
    const guest = new URL(await server.createDatabase());
    guest.username = "plain";
    for (const [url, why] of [
      [away, /ECONNREFUSED/],
      [unknown.href, /"nobody".*28000/],
      [guest.href, /denied.*42501/],
    ] as const) {
      const refusal = await findModuleRole({ name: "users", url }).catch((error: unknown) => error);
      expect(refusal).to.be.instanceOf(StoreRefusal);
      expect((refusal as Error).message)
        .to.match(/^users: .*$/)
        .and.match(why);
    }
  });
});
