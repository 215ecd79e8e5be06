import { spawnSync } from "node:child_process";
import { expect } from "chai";
import { type Api, addProduct, allOrders, bodyOf, createApi, register, type Session, signIn } from "../support/api.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop, SERVICES, type Service } from "../support/topology.ts";
import { readMetrics, samplesOf, sampleValue } from "./metrics-page.ts";

const SETTINGS = { RATE_LIMIT: "10000/60s", FAULTS: "products:order.cancelled=poison" };

for (const topology of [oneProcess, fourProcesses]) {
  describe(`metrics, ${topology.name}`, () => {
    const isSplit = topology === fourProcesses;
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;
    let orderId: string;

    before(async () => {
      shop = await topology.start(SETTINGS);
      api = createApi(shop.url);
      admin = await signIn(api);
      const customer = await register(api, "metrics");
      const productId = await addProduct(api, admin, 10);
      const placed = await api.post("/orders", { product_id: productId, quantity: 1 }, customer.token);
      orderId = bodyOf<{ id: string }>(placed).id;
      await api.get(`/orders/${orderId}`, customer.token, { Prefer: "wait=30" });
      await api.get(`/orders/${orderId}`, admin.token);
      await api.get(`/no/such/${orderId}`);
      bodyOf(await api.post(`/orders/${orderId}/cancel`, undefined, customer.token));
      await shop.settled();
    });

    after(async () => {
      await api.close();
      await shop.stop();
    });

    async function originOf(service: Service): Promise<string> {
      if (!isSplit) return shop.url;
      const { modules } = bodyOf<{ modules: { name: string; port: number }[] }>(await api.get("/status"));
      return `http://127.0.0.1:${modules.find(({ name }) => name === service)?.port}`;
    }

    it("requests are counted by the template of their route, and timed", async () => {
      const page = await readMetrics(shop.url);
      const labels = { service: "gateway", method: "GET", route: "/orders/{id}", status: "200" };
      expect(sampleValue(page, "http_request_duration_seconds_count", labels)).to.equal(2);
      expect(sampleValue(page, "http_request_duration_seconds_bucket", { ...labels, le: "+Inf" })).to.equal(2);
      expect(sampleValue(page, "http_request_duration_seconds_sum", labels)).to.be.greaterThan(0);
      const unmatched = { method: "GET", route: "unmatched", status: "404" };
      expect(sampleValue(page, "http_request_duration_seconds_count", unmatched)).to.equal(1);
      expect(page).not.to.include(orderId);
    });

    it("buckets hold all that is below their bound", async () => {
      const page = await readMetrics(shop.url);
      const labels = { service: "gateway", method: "GET", route: "/orders/{id}", status: "200" };
      const buckets = samplesOf(page).filter(
        ({ name, labels: { route, method, status } }) =>
          name === "http_request_duration_seconds_bucket" &&
          route === labels.route &&
          method === "GET" &&
          status === "200",
      );
      const values = buckets.map(({ value }) => value);
      expect(values).to.deep.equal([...values].sort((a, b) => a - b));
      expect(values.at(-1)).to.equal(sampleValue(page, "http_request_duration_seconds_count", labels));
    });

    it("stores tell their commits, dead letters are counted, and what is behind", async () => {
      const orders = await readMetrics(await originOf("orders"));
      expect(sampleValue(orders, "quartet_store_commit_writes_count", { module: "orders" })).to.be.greaterThan(1);
      const commits = sampleValue(orders, "quartet_store_commit_duration_seconds_count", { module: "orders" });
      expect(commits).to.equal(sampleValue(orders, "quartet_store_commit_writes_count", { module: "orders" }));
      expect(sampleValue(orders, "quartet_store_queued_writes", { module: "orders" })).to.equal(0);
      const products = await readMetrics(await originOf("products"));
      expect(sampleValue(products, "quartet_dead_letters", { module: "products" })).to.equal(1);
      await until("the bus runs", async () => {
        const page = await readMetrics(await originOf("products"));
        return sampleValue(page, "quartet_bus_running", { kind: isSplit ? "redis" : "memory" }) === 1;
      });
      // Positions are reported once a second.
      await until("nobody is behind", async () => {
        const page = await readMetrics(await originOf("orders"));
        return sampleValue(page, "quartet_log_backlog_events", { publisher: "orders", subscriber: "products" }) === 0;
      });
    });

    it("what the rate limit decided is counted", async () => {
      const allowed = { limit: "default", decision: "allowed" };
      const before = sampleValue(await readMetrics(shop.url), "quartet_rate_limit_decisions_total", allowed);
      await api.get("/products");
      const after = sampleValue(await readMetrics(shop.url), "quartet_rate_limit_decisions_total", allowed);
      expect(after).to.equal(before + 1);
    });

    it("the process tells of itself, its event loop too", async () => {
      const page = await readMetrics(shop.url);
      expect(sampleValue(page, "process_resident_memory_bytes")).to.be.greaterThan(1_000_000);
      expect(sampleValue(page, "nodejs_eventloop_lag_p99_seconds")).to.be.greaterThan(0);
      expect(sampleValue(page, "process_cpu_seconds_total"), "from its start on").to.be.greaterThan(0.1);
    });

    it("promtool finds nothing to say", async function () {
      if (spawnSync("promtool", ["--version"]).error !== undefined) this.skip();
      const services: readonly Service[] = isSplit ? SERVICES : ["gateway"];
      for (const service of services) {
        const input = await readMetrics(await originOf(service));
        const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
        expect({ service, status, said: stdout + stderr }).to.deep.equal({ service, status: 0, said: "" });
      }
    });

    if (!isSplit) return;

    it("calls that came in a batch are counted as what they are", async () => {
      await Promise.all(Array.from({ length: 50 }, () => allOrders(api, admin)));
      const labels = { service: "orders", method: "GET", route: "/orders", status: "200" };
      const origin = await originOf("orders");
      const counted = async () => sampleValue(await readMetrics(origin), "http_request_duration_seconds_count", labels);
      await until("all are counted", async () => (await counted()) >= 50); // a call is when its answer is out
      expect(await counted()).to.equal(50);
    });

    it("a neighbour that is away opens its breaker", async () => {
      expect(
        sampleValue(await readMetrics(shop.url), "quartet_breaker_state", { callee: "users", state: "closed" }),
      ).to.equal(1);
      await shop.kill("users");
      await until("the breaker is open", async () => {
        await api.get("/users/me", admin.token);
        return (
          sampleValue(await readMetrics(shop.url), "quartet_breaker_state", { callee: "users", state: "open" }) === 1
        );
      });
      const page = await readMetrics(shop.url);
      expect(sampleValue(page, "quartet_breaker_state", { callee: "users", state: "closed" })).to.equal(0);
      expect(sampleValue(page, "quartet_breaker_state", { callee: "orders", state: "closed" })).to.equal(1);
    });
  });
}
