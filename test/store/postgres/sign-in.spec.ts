import { execFileSync } from "node:child_process";
import { chownSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { postgresMigrationsOf } from "../../../src/runtime/database-files.ts";
import { findModuleRole } from "../../../src/store/engines/postgres/module-role.ts";
import { openPostgresStore } from "../../../src/store/engines/postgres/open-store.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../../support/postgres.ts";
import { until } from "../../support/process.ts";

describe("a module signs in to PostgreSQL", () => {
  let server: PostgresServer;
  let database: URL;
  let certificate: string;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    server = await startPostgresServer();
    database = new URL(await server.createDatabase());
    await server.query("CREATE ROLE keyed LOGIN SUPERUSER PASSWORD 'right'");
    const data = join(server.dir, "data");
    const { uid, gid } = statSync(data);
    const [key, hba] = [join(data, "server.key"), join(data, "pg_hba.conf")];
    certificate = join(data, "server.crt");
    const self = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
    execFileSync("openssl", [...self, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate], {
      stdio: "ignore",
    });
    for (const file of [key, certificate]) chownSync(file, uid, gid);
    writeFileSync(hba, `host all keyed 127.0.0.1/32 scram-sha-256\n${readFileSync(hba, "utf8")}`);
    await server.query("ALTER SYSTEM SET ssl = on");
    await server.query("SELECT pg_reload_conf()");
  });
  after(() => server?.stop());

  /** A backend goes a moment after its connection; until then it would be taken for one of the next. */
  async function isAway(): Promise<boolean> {
    return (await server.query("SELECT FROM pg_stat_activity WHERE usename = 'keyed'")).length === 0;
  }

  /** How signing in ends: "in", over TLS or not, or why not. */
  async function signIn(parameters: string, password?: string): Promise<string> {
    const url = new URL(database);
    url.username = "keyed";
    url.search = parameters;
    const place = { name: "users", url: url.href, ...(password !== undefined && { password: async () => password }) };
    try {
      await findModuleRole(place);
      const store = await openPostgresStore({ ...place, migrations: postgresMigrationsOf("users") });
      const [seen] = await server.query<{ ssl: boolean }>(
        "SELECT bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'keyed'",
      );
      await store.close();
      await until("it has signed out", isAway);
      return seen?.ssl ? "in, by TLS" : "in";
    } catch (error) {
      return String(error instanceof Error ? error.message : error);
    }
  }

  it("with the password that it is given beside the URL", async () => {
    expect(await signIn("", "right")).to.equal("in");
    expect(await signIn("", "wrong")).to.match(/^users: .*28P01/);
    expect(await signIn("")).to.match(/^users: .*asks for a password, and there is none/);
  });

  it("by TLS, as the URL has it", async () => {
    expect(await signIn(`?sslmode=verify-full&sslrootcert=${certificate}`, "right")).to.equal("in, by TLS");
    expect(await signIn("?sslmode=verify-full", "right")).to.match(/^users: .*self-signed/);
    expect(await signIn("?sslmode=no-verify", "right")).to.equal("in, by TLS");
  });

  it("by TLS, as PGSSLMODE has it", async () => {
    process.env.PGSSLMODE = "no-verify";
    try {
      expect(await signIn("", "right")).to.equal("in, by TLS");
    } finally {
      delete process.env.PGSSLMODE;
    }
    expect(await signIn("", "right")).to.equal("in");
  });
});
