import { expect } from "chai";
import { createOrders } from "../../console/src/store/orders.ts";
import { createRequests } from "../../console/src/store/requests.ts";
import { createSessions } from "../../console/src/store/session.ts";
import { ORDERS_A_SECOND } from "../../console/src/store/trickle.ts";
import { until } from "../support/process.ts";

const USER = { id: "u", name: "Ada", email: "ada@example.com", role: "customer" };
const SIGNED_IN = { token: "t", refresh_token: "r", expires_in: 3_600 };
const problem = (status: number, name: string, headers: Record<string, string> = {}) =>
  Response.json({ type: `/problems/${name}`, detail: `${name}.` }, { status, headers });

/** A page before a shop that answers as the test says, and remembers who asked for what. */
function openPage(shop: {
  stock: number;
  answer?: (key: string) => Response;
  status?: string;
  role?: string;
  known?: boolean;
}) {
  /** The keys of the orders, one for each attempt. */
  const keys: string[] = [];
  const taken = new Map<string, string>();
  const list = () =>
    shop.known
      ? problem(503, "dependency-unavailable")
      : Response.json({ data: [{ id: "p", name: "Pen", stock: shop.stock }] });
  const fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    if (path === "/console/sign-in")
      return Response.json({ ...SIGNED_IN, user: { ...USER, role: shop.role ?? USER.role } });
    if (path === "/products/p/restock") shop.stock += Number(JSON.parse(String(init.body)).quantity);
    if (path.startsWith("/products")) return list();
    if (path.startsWith("/orders/o")) return Response.json({ id: "o", status: shop.status ?? "confirmed" });
    const key = new Headers(init.headers).get("idempotency-key") ?? "";
    keys.push(key);
    const answer = shop.answer?.(key) ?? Response.json({ id: `o${taken.size}` }, { status: 201 });
    if (answer.ok) taken.set(key, path);
    return answer;
  };
  const sessions = createSessions(fetch);
  const knownProducts = () => (shop.known ? [{ id: "p", name: "Pen", stock: 7 }, { id: "u" }] : []);
  const requests = createRequests({ fetch, sessions });
  return { orders: createOrders({ requests, sessions, oneClick: async () => true, knownProducts }), keys, taken };
}

describe("console: orders to watch the shop with", () => {
  const leaving: (() => void)[] = [];
  const open = (shop: Parameters<typeof openPage>[0]) => {
    const page = openPage(shop);
    leaving.push(page.orders.leave);
    return page;
  };
  afterEach(() => {
    for (const leave of leaving.splice(0)) leave();
  });

  it("are placed one after the other, each once, until the switch is off", async () => {
    const { orders, keys, taken } = open({ stock: 500 });
    await orders.trickle.start();
    await until("some are taken", () => orders.trickle.state.get().taken >= 3);
    expect(orders.trickle.state.get()).to.include({ running: true, who: "Ada", product: "Pen", ended: undefined });
    orders.trickle.stop();
    const { trickle, queue } = orders;
    await until("all are taken", () => queue.waiting === 0 && trickle.state.get().taken === taken.size);
    expect(new Set(keys).size).to.equal(keys.length);
    const { length } = keys;
    await new Promise((resolve) => setTimeout(resolve, 3_000 / ORDERS_A_SECOND));
    expect(keys.length).to.equal(length);
  });

  it("wait while nobody takes them, and are sent again with the same key", async () => {
    let away = true;
    const { orders, keys, taken } = open({
      stock: 500,
      answer: () =>
        away
          ? problem(503, "dependency-unavailable", { "retry-after": "0.05" })
          : Response.json({ id: "o" }, { status: 201 }),
    });
    await orders.own.place();
    await until("it waits", () => (orders.own.last.get()?.attempts ?? 0) > 2);
    expect(orders.own.last.get()).to.include({ phase: "waiting", why: "503: dependency-unavailable." });
    await until("the page says so", () => orders.queue.state.get().waiting === 1);
    expect(orders.queue.state.get().trouble).to.equal("503: dependency-unavailable.");
    away = false;
    await until("it is confirmed", () => orders.own.last.get()?.phase === "confirmed");
    expect(new Set(keys).size).to.equal(1);
    expect(taken.size).to.equal(1);
    await until("nothing waits", () => orders.queue.state.get().waiting === 0);
    expect(orders.queue.state.get().trouble).to.equal(undefined);
  });

  it("are for what the page has seen before, while products cannot be listed", async () => {
    const { orders } = open({ stock: 0, known: true });
    await orders.own.place();
    await until("it is confirmed", () => orders.own.last.get()?.phase === "confirmed");
  });

  it("are pending until the shop has settled them", async () => {
    const shop = { stock: 5, status: "pending" };
    const { orders } = open(shop);
    await orders.own.place();
    await until("it is pending", () => orders.own.last.get()?.phase === "pending");
    shop.status = "rejected";
    await until("it is rejected", () => orders.own.last.get()?.phase === "rejected");
  });

  it("end when nothing is left, and say so, until an admin has put something on the shelf", async () => {
    const shop = { stock: 2, role: "admin" };
    const { orders, taken } = open(shop);
    await orders.trickle.start();
    await until("two are taken", () => taken.size >= 2);
    shop.stock = 0;
    await until("it has stopped", () => !orders.trickle.state.get().running);
    expect(orders.trickle.state.get().ended).to.match(/^Nothing is left in stock/);
    await orders.own.place();
    expect(orders.own.last.get()).to.include({ phase: "none" });
    expect(orders.soldOut.get()?.name).to.equal("Pen");
    await orders.refill();
    expect(orders.trickle.state.get().ended).to.equal(undefined);
    expect(orders.own.last.get()).to.equal(undefined);
    expect(orders.soldOut.get()).to.equal(undefined);
    await orders.own.place();
    await until("it is confirmed", () => orders.own.last.get()?.phase === "confirmed");
  });

  it("find another product when one is sold out meanwhile, and stop at any other refusal", async () => {
    let refusal = "insufficient-stock";
    const { orders, keys } = open({ stock: 500, answer: () => problem(409, refusal) });
    await orders.trickle.start();
    await until("two are refused", () => orders.trickle.state.get().refused >= 2);
    expect(orders.trickle.state.get().running).to.equal(true);
    refusal = "forbidden";
    await until("it has stopped", () => !orders.trickle.state.get().running);
    expect(orders.trickle.state.get().ended).to.equal("Stopped: 409: forbidden.");
    expect(new Set(keys).size, "a refusal is final").to.equal(keys.length);
  });

  it("are given up when the page is hidden, and the person is told", async () => {
    const { orders, keys } = open({ stock: 500, answer: () => problem(503, "overloaded", { "retry-after": "60" }) });
    await orders.trickle.start();
    await until("two wait", () => orders.queue.waiting >= 2);
    orders.leave();
    expect(orders.queue.waiting).to.equal(0);
    expect(orders.trickle.state.get().running).to.equal(false);
    expect(orders.trickle.state.get().ended).to.match(/^Stopped when this page was hidden\. \d+ orders .* given up\.$/);
    const { length } = keys;
    await new Promise((resolve) => setTimeout(resolve, 3_000 / ORDERS_A_SECOND));
    expect(keys.length).to.equal(length);
  });
});
