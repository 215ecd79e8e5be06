import { expect } from "chai";
import { ADMIN, type Api, addProduct, bodyOf, createApi, signIn } from "../support/api.ts";
import { startShopProcess, until } from "../support/process.ts";
import {
  fourProcesses,
  oneProcess,
  type ProcessShop,
  SERVICES,
  type Service,
  TEST_SETTINGS,
} from "../support/topology.ts";

const NAME = "Wilhelmina Walker";
const EMAIL = "walker@example.org";
const PASSWORD = "a secret nobody may read";
const NEW_PASSWORD = "another secret nobody may read";

/** Lines of JSON, as in production, where there are no demo data: the settings make the admin. */
const PRODUCTION = {
  NODE_ENV: "production",
  ADMIN_EMAIL: ADMIN.email,
  ADMIN_PASSWORD: ADMIN.password,
};

type Line = Readonly<Record<string, unknown>>;

function servicesOf(lines: readonly Line[]): unknown[] {
  return [...new Set(lines.map(({ service }) => service))].sort();
}

function linesOf(shop: ProcessShop, service: Service = "gateway"): Line[] {
  const lines = shop.process(service).output().split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Line);
}

describe("logs", () => {
  it("hold no password, no token, no name and no address of a person, whatever is done, at level trace", async () => {
    const shop = await oneProcess.start({ ...PRODUCTION, LOG_LEVEL: "trace" });
    const api = createApi(shop.url);
    try {
      const secrets = [PASSWORD, NEW_PASSWORD, ADMIN.password, NAME, EMAIL, ...(await walk(api))];
      await until("the last request is logged", () => linesOf(shop).some(({ path }) => path === "/the/end"));
      expect(secrets.filter((secret) => shop.process("gateway").output().includes(secret))).to.deep.equal([]);
      expect(linesOf(shop).length).to.be.greaterThan(10);
    } finally {
      await api.close();
      await shop.stop();
    }
  });

  it("tell of each request in one line, which its request id and its trace lead to", async () => {
    const shop = await oneProcess.start({ ...PRODUCTION, LOG_LEVEL: "info" });
    const api = createApi(shop.url);
    try {
      const traceId = "10ac0de10ac0de10ac0de10ac0de1000";
      await api.get("/products?limit=2", undefined, {
        "X-Request-Id": "the-request",
        traceparent: `00-${traceId}-00f067aa0ba902b7-00`,
      });
      await api.get("/livez");
      await api.get("/the/end");
      await until("the last request is logged", () => linesOf(shop).some(({ path }) => path === "/the/end"));
      const [line, ...more] = linesOf(shop).filter(({ request_id }) => request_id === "the-request");
      expect(more).to.deep.equal([]);
      expect(line).to.include({ method: "GET", path: "/products", status: 200, trace_id: traceId, level: 30 });
      expect(
        linesOf(shop).some(({ path }) => path === "/livez"),
        "a probe's line",
      ).to.equal(false);
    } finally {
      await api.close();
      await shop.stop();
    }
  });

  it("lead from a request id through all four processes, also where calls go together, and by the trace to the events", async () => {
    const shop = await fourProcesses.start({ ...PRODUCTION, LOG_LEVEL: "info" });
    const api = createApi(shop.url);
    try {
      const admin = await signIn(api);
      const productId = await addProduct(api, admin, 40);
      const order = (n: number) =>
        api.post("/orders", { product_id: productId, quantity: 1 }, admin.token, { "X-Request-Id": `order-${n}` });
      await Promise.all(Array.from({ length: 20 }, (_, n) => order(n))); // so many at once that calls are batched
      await shop.settled();
      expect(linesOf(shop, "orders").map(({ msg }) => msg)).to.include("events: Redis is connected");
      const linesOfAll = () => SERVICES.flatMap((service) => linesOf(shop, service));
      for (const id of ["order-0", "order-19"]) {
        const ofRequest = () => linesOfAll().filter(({ request_id }) => request_id === id);
        await until("all who took part have told", () => {
          const told = servicesOf(ofRequest());
          return SERVICES.every((service) => told.includes(service));
        });
        expect(ofRequest().map(({ path }) => path)).not.to.include("/.calls");
        const [trace, ...others] = new Set(ofRequest().map(({ trace_id }) => trace_id));
        expect(others).to.deep.equal([]);
        const applied = () => linesOfAll().filter(({ msg, trace_id }) => msg === "applied" && trace_id === trace);
        await until("the events are told", () => applied().length >= 2);
        expect(servicesOf(applied())).to.deep.equal(["orders", "products"]);
        expect(applied().map(({ event }) => event)).to.include.members(["order.created", "stock.reserved"]);
      }
    } finally {
      await api.close();
      await shop.stop();
    }
  });

  it("name the problem of a failure, where it is met and at the gateway", async () => {
    const shop = await fourProcesses.start({ ...PRODUCTION, LOG_LEVEL: "info" });
    const api = createApi(shop.url);
    try {
      const admin = await signIn(api);
      const productId = await addProduct(api, admin, 1);
      const headers = { "X-Request-Id": "too-many" };
      await api.post("/orders", { product_id: productId, quantity: 2 }, admin.token, headers);
      for (const service of ["gateway", "orders"] as const) {
        const told = () => linesOf(shop, service).find(({ request_id }) => request_id === "too-many");
        await until("it is told", () => told() !== undefined);
        expect(told(), service).to.include({ status: 409, problem: "insufficient-stock", service });
      }
    } finally {
      await api.close();
      await shop.stop();
    }
  });

  it("tell at the start what was done: files made or opened, with their schema, demo data, and how events travel", async () => {
    const shop = await oneProcess.start({ ...PRODUCTION, ADMIN_EMAIL: "root@example.com", LOG_LEVEL: "info" });
    const messages = () => linesOf(shop).map(({ msg }) => String(msg));
    try {
      // What it has printed may be read a moment after what it has answered.
      await until("it has told of both", () => /^events: /m.test(messages().join("\n")));
      expect(messages().join("\n"))
        .to.match(/^users: made \S+users\.db, version \d+\.\d+$/m)
        .and.to.match(/^events: through the memory of this process/m);
      await shop.halt();
      await shop.begin();
      await until("it tells again", () => /^events: /m.test(messages().join("\n")));
      expect(messages().join("\n")).to.match(/^orders: opened \S+orders\.db, version \d+\.\d+$/m);
    } finally {
      await shop.stop();
    }
  });

  it("say that another ADMIN_PASSWORD is not that of the admin who is there, and neither of them", async () => {
    const shop = await oneProcess.start({ ...PRODUCTION, ADMIN_EMAIL: "root@example.com", LOG_LEVEL: "info" });
    const other = "quite another password";
    try {
      await shop.halt();
      const env = {
        ...TEST_SETTINGS,
        ...PRODUCTION,
        ADMIN_EMAIL: "root@example.com",
        ADMIN_PASSWORD: other,
        DATA_DIR: shop.dataDir,
        PORT: "0",
      };
      const changed = startShopProcess({ env: { ...env, LOG_LEVEL: "info" }, cwd: shop.dataDir });
      await until("it is ready, or has ended", () => changed.output().includes("ready in") || !changed.running);
      await changed.terminate();
      expect(changed.output().match(/ADMIN_PASSWORD is not the password of the first admin/g)).to.have.length(1);
      expect(changed.output()).not.to.include(other).and.not.to.include(ADMIN.password);
    } finally {
      await shop.stop();
    }
  });

  it("change their level at SIGUSR2: to debug, to trace, and back", async () => {
    const shop = await oneProcess.start({ ...PRODUCTION, LOG_LEVEL: "warn" });
    const api = createApi(shop.url);
    const said = (path: string) => linesOf(shop).some((line) => line.path === path);
    const toldOf = (level: string) => () => linesOf(shop).some(({ msg }) => String(msg).endsWith(`level is ${level}`));
    const signal = () => process.kill(shop.process("gateway").pid, "SIGUSR2");
    try {
      await api.get("/before");
      signal();
      await until("it has changed", toldOf("debug"));
      await api.get("/livez");
      await until("what is told at debug is there", () => said("/livez"));
      expect(said("/before")).to.equal(false);
      signal();
      await until("it has changed", toldOf("trace"));
      signal();
      await until("it is as it was", toldOf("warn"));
      const lines = linesOf(shop).length;
      await api.get("/after");
      signal();
      await until("it has changed again", () => linesOf(shop).length > lines);
      await api.get("/later");
      await until("what comes later is told again", () => said("/later"));
      expect(said("/after")).to.equal(false);
    } finally {
      await api.close();
      await shop.stop();
    }
  });
});

/** Does what has to do with secrets, right and wrong. Resolves the secrets that came of it. */
async function walk(api: Api): Promise<string[]> {
  const email = EMAIL;
  const registered = bodyOf<Tokens>(await api.post("/users/register", { name: NAME, email, password: PASSWORD }));
  await api.post("/users/register", { name: NAME, email, password: PASSWORD });
  await api.post("/users/register", { name: NAME, email: `${EMAIL} `, password: PASSWORD });
  const signedIn = bodyOf<Tokens>(await api.post("/users/login", { email, password: PASSWORD }));
  await api.post("/users/login", { email, password: NEW_PASSWORD });
  await api.post("/users/login", { email, password: PASSWORD, token: signedIn.token });
  const refreshed = bodyOf<Tokens>(await api.post("/users/refresh", { refresh_token: signedIn.refresh_token }));
  await api.post("/users/refresh", { refresh_token: signedIn.refresh_token });
  await api.post("/users/me/password", { current_password: PASSWORD, new_password: NEW_PASSWORD }, registered.token);
  const admin = await signIn(api);
  const productId = await addProduct(api, admin, 3);
  const forged = `${registered.token.slice(0, -4)}AAAA`;
  for (const token of [registered.token, admin.token, forged]) {
    await api.post("/orders", { product_id: productId, quantity: 1 }, token);
    await api.get("/orders", token);
  }
  await api.call({ method: "DELETE", path: "/users/me", token: registered.token });
  await api.get("/the/end");
  const tokens = [registered, signedIn, refreshed].flatMap(({ token, refresh_token }) => [token, refresh_token]);
  return [...tokens, admin.token, forged];
}

interface Tokens {
  readonly token: string;
  readonly refresh_token: string;
}
