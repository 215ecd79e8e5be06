import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { databaseIn } from "../../src/runtime/database-files.ts";
import { type Api, bodyOf, createApi, type OrderBody, type Session, signIn } from "../support/api.ts";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { writeOlderDatabases } from "../support/older-databases.ts";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { TEST_SETTINGS } from "../support/topology.ts";

const ann = { email: "ann@example.org", password: "a password of old" };
const admin = { email: "admin@example.com", password: "the admin of old" };

describe("the databases of an older version", () => {
  let folder: string;
  let shop: ShopProcess;
  let api: Api;
  let customer: Session;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "quartet-older-"));
    writeOlderDatabases(join(folder, "data"));
    for (const name of MODULES) requireRows(name);
    const [port = 0] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    shop = startShopProcess({
      env: { ...TEST_SETTINGS, DATA_DIR: join(folder, "data"), PORT: String(port) },
      cwd: folder,
    });
    api = createApi(url);
    await untilReady(url, [shop]);
    customer = await signIn(api, ann);
  });
  after(async () => {
    await api.close();
    await shop.terminate();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Otherwise what is below would prove nothing. */
  function requireRows(name: ModuleName): void {
    const database = new Database(databaseIn(join(folder, "data"), name));
    const tables = database
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all();
    for (const table of name === "users" ? ["users", "sessions", "signing_keys"] : tables) {
      expect(database.prepare(`SELECT count(*) FROM ${table}`).pluck().get(), `${name}.${table}`).to.be.above(0);
    }
    database.close();
  }

  const orders = async () => bodyOf<{ data: OrderBody[] }>(await api.get("/orders", customer.token)).data;

  it("are opened, and what was under way goes on", async () => {
    await until("the order that waited for its stock is confirmed", async () =>
      (await orders()).every(({ status }) => status !== "pending"),
    );
    const states = (await orders()).map(({ status }) => status);
    expect(states.sort()).to.deep.equal(["cancelled", "cancelled", "confirmed", "confirmed"]);
  });

  it("answer a retry with what was answered then, and take new orders", async () => {
    const [{ items } = { items: [] }] = (await orders()).filter(({ status }) => status === "confirmed").slice(-1);
    const [{ product_id, quantity } = { product_id: "", quantity: 0 }] = items;
    const place = (key: string) =>
      api.post("/orders", { product_id, quantity }, customer.token, { "idempotency-key": key });
    const again = await place("order-a");
    expect([again.status, again.headers["idempotency-replayed"]]).to.deep.equal([201, "true"]);
    const placed = bodyOf<OrderBody>(await place("new"));
    await until("it is confirmed", async () =>
      (await orders()).some(({ id, status }) => id === placed.id && status === "confirmed"),
    );
  });

  it("list what was given up, and apply it again", async () => {
    const { token } = await signIn(api, admin);
    const letters = async () =>
      bodyOf<{ data: { id: string; module: string }[] }>(await api.get("/events/dead-letters", token)).data;
    expect((await letters()).map(({ module }) => module).sort()).to.deep.equal(["orders", "products"]);
    for (const { id } of await letters()) {
      const replayed = await api.post(`/events/dead-letters/${id}/replay`, undefined, token);
      expect(replayed.status, JSON.stringify(replayed.body)).to.equal(204);
    }
    expect(await letters()).to.deep.equal([]);
  });
});
