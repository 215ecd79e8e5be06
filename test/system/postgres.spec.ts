import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { moduleNames } from "../../src/runtime/modules.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { freePorts, type ShopProcess, startShopProcess, untilReady } from "../support/process.ts";
import { TEST_SETTINGS } from "../support/topology.ts";

const TELLING_OF_PG = new URL("telling-of-pg.ts", import.meta.url);

describe("a setting puts the data in PostgreSQL", () => {
  let server: PostgresServer;
  let folder: string;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    server = await startPostgresServer();
    folder = await mkdtemp(join(tmpdir(), "quartet-postgres-"));
  });
  after(async () => {
    await server?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  async function begin(settings: Readonly<Record<string, string>>): Promise<{ url: string; shop: ShopProcess }> {
    const [port] = await freePorts(1);
    const env = {
      ...TEST_SETTINGS,
      PORT: `${port}`,
      DATA_DIR: join(folder, `data-${port}`),
      LOG_LEVEL: "info",
      ...settings,
    };
    return { url: `http://127.0.0.1:${port}`, shop: startShopProcess({ env, cwd: folder, preload: TELLING_OF_PG }) };
  }

  it("of those modules that it names, and its driver is loaded then alone", async () => {
    const own = await server.createDatabase();
    for (const [settings, inPostgres] of [
      [{}, []],
      [{ ORDERS_DATABASE_URL: own }, ["orders"]],
      [{ DATABASE_URL: await server.createDatabase() }, moduleNames],
    ] as const) {
      const { url, shop } = await begin(settings);
      await untilReady(url, [shop]);
      await shop.terminate();
      const made = Array.from(shop.output().matchAll(/(\w+): made postgres:\/\//g), ([, name]) => name);
      expect(made).to.deep.equal(inPostgres);
      expect(shop.output().includes("pg is loaded")).to.equal(inPostgres.length > 0);
    }
  });

  it("or ends the start with one line that says why not, and no password", async () => {
    const ascii = new URL(server.url);
    await server.query("CREATE DATABASE ascii ENCODING SQL_ASCII TEMPLATE template0");
    ascii.pathname = "/ascii";
    const unknown = new URL(server.url);
    unknown.username = "nobody";
    unknown.password = "secret-word";
    const nowhere = new URL(server.url);
    nowhere.pathname = "/nowhere";
    const isNone = (url: string) => [{ DATABASE_URL: url }, /^DATABASE_URL=\(not shown\): expected postgres:/] as const;
    const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      ...["mysql://root:secret-word@h/shop", "postgres://app:secret-word@h:5432,/shop"].map(isNone),
      isNone("postgres://app:secret-word@h,i/shop?target_session_attrs=prefer-standby"),
      [{ DATABASE_URL: server.url, DATABASE_PASSWORD_FILE: "none" }, /^DATABASE_PASSWORD_FILE=none: expected a file/],
      [{ DATABASE_URL: "postgres://app:secret-word@127.0.0.1:1/shop" }, /^users: .*ECONNREFUSED/],
      [
        { DATABASE_URL: "postgres://app:secret-word@127.0.0.1:1,127.0.0.1:2/shop" },
        /^users: .*ECONNREFUSED 127\.0\.0\.1:2.*; .*ECONNREFUSED 127\.0\.0\.1:1/,
      ],
      [{ DATABASE_URL: unknown.href }, /^users: .*"nobody"/],
      [{ USERS_DATABASE_URL: nowhere.href }, /^users: .*"nowhere"/],
      [{ DATABASE_URL: ascii.href }, /^users: .*SQL_ASCII/],
    ];
    await Promise.all(
      cases.map(async ([settings, expected]) => {
        const { shop } = await begin({ ...settings, LOG_LEVEL: "fatal" });
        expect(await shop.exited, shop.output()).to.deep.equal({ code: 1, signal: null });
        const lines = shop
          .output()
          .trim()
          .split("\n")
          .filter((line) => line !== "pg is loaded");
        expect(
          lines.filter((line) => line !== "This configuration cannot work:"),
          lines.join("\n"),
        ).to.have.lengthOf(1);
        expect(lines.at(-1)).to.match(expected);
        expect(shop.output()).to.not.contain("secret-word");
      }),
    );
  });
});
