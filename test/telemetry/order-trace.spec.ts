import { randomBytes } from "node:crypto";
import { expect } from "chai";
import { moduleNames, modules } from "../../src/runtime/modules.ts";
import type { SpanRecord } from "../../src/telemetry/span-record.ts";
import { ADMIN, type Api, addProduct, bodyOf, createApi, register, type Session, signIn } from "../support/api.ts";
import { readStream, type StreamReader } from "../support/event-stream.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type Shop } from "../support/topology.ts";

/** The steps of an order that is confirmed, in every topology; what runs side by side stands in the order of its name. */
const STEPS = `
request POST /orders/create gateway 201
  call orders.placeOrder gateway → orders ok
    serve orders.placeOrder orders ok
      call products.getProduct orders → products ok
        serve products.getProduct products ok
          store SELECT products products → products.db ok
      call users.getUser orders → users ok
        serve users.getUser users ok
          store SELECT users users → users.db ok
      publish order.created orders ok
        apply order.created products → orders ok
          publish stock.reserved products ok
            apply stock.reserved orders → products ok
              store UPDATE orders orders → orders.db ok
          store UPDATE products; INSERT stock_ledger, outbox products → products.db ok
      store INSERT orders, outbox orders → orders.db ok
`;

/** Who takes part in an order; what others make of its events is theirs. */
const SERVICES = ["gateway", "users", "products", "orders"];

for (const topology of [oneProcess, fourProcesses]) {
  describe(`the trace of an order: ${topology.name}`, () => {
    const traceId = randomBytes(16).toString("hex");
    let shop: Shop;
    let api: Api;
    let admin: Session;
    let productId: string;
    let stream: StreamReader;

    before(async () => {
      shop = await topology.start({ NODE_ENV: "development" });
      api = createApi(shop.url);
      admin = await signIn(api);
      productId = await addProduct(api, admin, 5);
      const unwatched = { traceparent: `00-${randomBytes(16).toString("hex")}-00f067aa0ba902b7-01` };
      bodyOf(await api.post("/orders", { product_id: productId, quantity: 1 }, admin.token, unwatched));
      stream = await readStream(shop.url, { authorization: `Bearer ${admin.token}` });
      await stream.next("status", ({ processes }) => SERVICES.every((name) => name in (processes as object)));
    });

    after(async () => {
      stream?.close();
      await api?.close();
      await shop?.stop();
    });

    it("is not made while nobody watches, even for who asks for it", async () => {
      const { data } = bodyOf<{ data: { spans: SpanRecord[] }[] }>(await api.get("/console/traces"));
      expect(data.flatMap(({ spans }) => spans)).to.deep.equal([]);
      expect(stream.spans()).to.deep.equal([]);
    });

    it("has all steps, from the request to the stock that was reserved", async () => {
      const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
      const order = { product_id: productId, quantity: 2 };
      bodyOf(await api.post("/orders/create", order, admin.token, headers));
      const isPart = ({ trace_id, service }: SpanRecord) => trace_id === traceId && SERVICES.includes(service);
      const spans = () => stream.spans().filter(isPart);
      await until("the trace is whole", () => spans().length >= STEPS.trim().split("\n").length);
      expect(outline(spans(), "00f067aa0ba902b7")).to.equal(STEPS.trim());
    });

    it("comes in the order in which things happen", () => {
      const spans = new Map(stream.spans().map((span) => [span.span_id, span]));
      for (const { start_us, parent_id, duration_us, name, process } of spans.values()) {
        const parent = spans.get(parent_id ?? "");
        // Two processes may disagree about the time, each by less than a millisecond.
        const toleranceUs = parent?.process === process ? 0 : 2_000;
        expect(start_us, name).to.be.at.least((parent?.start_us ?? 0) - toleranceUs);
        expect(duration_us, name).to.be.at.least(0);
      }
    });

    it("says in which process each step ran, as the status does", async () => {
      const { data } = await stream.nextNew("status", ({ processes }) => Object.keys(processes as object).length === 4);
      const { processes } = data as { processes: Record<string, string> };
      for (const { service, process } of stream.spans()) expect(process).to.equal(processes[service]);
      expect(new Set(Object.values(processes)).size).to.equal(topology === oneProcess ? 1 : 4);
    });

    it("shows statements with placeholders", () => {
      const insert = stream.spans().find(({ name }) => name === "INSERT orders, outbox");
      expect(insert?.attributes.statements).to.include(
        "INSERT INTO outbox (seq, epoch, previous_epoch, event) VALUES (?, ?, ?, ?)",
      );
    });

    it("ends in a rejection where another order was quicker", async () => {
      const rivals = async (): Promise<unknown> => {
        const rare = await addProduct(api, admin, 1);
        const order = { product_id: rare, quantity: 1 };
        const both = await Promise.all([1, 2].map(() => api.post("/orders", order, admin.token)));
        // The second was told at once: it came when the stock was gone already.
        return both.every(({ status }) => status === 201) || rivals();
      };
      await rivals();
      const isRejected = ({ kind, name }: SpanRecord) => kind === "apply" && name === "stock.rejected";
      await until("the rejection is applied", () => stream.spans().some(isRejected));
      const applied = stream.spans().find(isRejected) as SpanRecord;
      const requests = () =>
        stream.spans().filter(({ kind, trace_id }) => kind === "request" && trace_id === applied.trace_id);
      // Each process tells its own spans, in no order with the others'.
      await until("the request is told", () => requests().length > 0);
      expect(requests()[0]).to.include({ name: "POST /orders", status: "201" });
      await until("the order is rejected", () =>
        stream.spans().some(({ parent_id, name }) => parent_id === applied.span_id && name === "UPDATE orders"),
      );
    });

    it("holds no password, token or address", async () => {
      const secret = { name: "secretive", password: "the password of secretive", address: "secretive@example.org" };
      const customer = await register(api, secret.name);
      await api.post("/users/login", { email: secret.address, password: "a wrong password" });
      await api.get("/users/me", customer.token);
      await until("this was traced", () => stream.spans().some(({ name }) => name === "GET /users/me"));
      await until("so was this", () => stream.spans().some(({ status }) => status === "invalid-credentials"));
      const secrets = [secret.password, secret.address, "a wrong password", customer.token, admin.token];
      for (const text of [...secrets, ADMIN.email, ADMIN.password, customer.id]) {
        expect(stream.text()).not.to.include(text);
      }
      expect(stream.text()).not.to.match(/eyJ|\$2[aby]\$/);
    });

    it("counts the events that are not yet applied", async () => {
      await shop.settled();
      const { data } = await stream.nextNew("status", ({ backlog }) => {
        const { products, orders } = backlog as Record<string, Record<string, number>>;
        return products?.orders === 0 && orders?.products === 0;
      });
      expect(Object.keys(data.backlog as object)).to.have.members(
        moduleNames.filter((name) => modules[name].hears.length > 0),
      );
    });
  });
}

/** A trace as indented lines, each below what caused it, siblings in the order of their text. */
function outline(spans: readonly SpanRecord[], parentId: string, depth = 0): string {
  const lines = spans
    .filter((span) => span.parent_id === parentId)
    .map((span) => {
      const who = span.peer === null ? span.service : `${span.service} → ${span.peer}`;
      const line = `${"  ".repeat(depth)}${span.kind} ${span.name} ${who} ${span.status}`;
      const below = outline(spans, span.span_id, depth + 1);
      return below === "" ? line : `${line}\n${below}`;
    });
  return lines.sort().join("\n");
}
