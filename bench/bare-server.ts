import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { parseArgs } from "node:util";
import jwt from "jsonwebtoken";
import { v7 as uuid } from "uuid";
import { BareModule, type Event } from "./bare-module.ts";

/**
 * The limit to measure against: the durable work of an order in bare node:http and better-sqlite3, and nothing else. It writes the
 * rows that the shop writes, into the same tables, in as many commits: order and event, then stock, ledger, reply and cursor, then
 * confirmation and cursor. No framework, contract, validation, rate limit, retry or restart: what it has committed and not yet
 * passed on is lost with it.
 */

interface Product {
  readonly id: string;
  readonly name: string;
  readonly price_cents: number;
  readonly currency: string;
  readonly stock: number;
}

const { values: flags } = parseArgs({
  options: { port: { type: "string", default: "0" }, "data-dir": { type: "string", default: "." } },
});
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const principals = new Map<string, { readonly sub: string; readonly exp: number }>();

const users = new BareModule("users", flags["data-dir"]);
const orders = new BareModule("orders", flags["data-dir"], (events) => products.follow(orders, events, reserve));
const products = new BareModule("products", flags["data-dir"], (events) => orders.follow(products, events, settle));

const USER = "id, name, email, canonical_email, role, password_hash, created_at";
const ORDER = "id, user_id, status, items, total_cents, currency, created_at, updated_at";
const PRODUCT = "id, name, description, price_cents, currency, stock, active, created_at, updated_at";

const insertUser = users.prepare(`INSERT INTO users (${USER}) VALUES (?, ?, ?, ?, 'customer', ?, ?)`);
const findUser = users.prepare<[string], { id: string }>("SELECT id FROM users WHERE id = ?");
const insertProduct = products.prepare(`INSERT INTO products (${PRODUCT}) VALUES (?, ?, '', ?, 'USD', ?, 1, ?, ?)`);
const findProduct = products.prepare<[string], Product>(`SELECT ${PRODUCT} FROM products WHERE id = ?`);
const takeStock = products.prepare("UPDATE products SET stock = stock - ?, updated_at = ? WHERE id = ? AND stock >= ?");
const insertLedger = products.prepare(
  "INSERT INTO stock_ledger (cause, reason, product_id, delta, at) VALUES (?, 'reserved', ?, ?, ?)",
);
const insertRefusal = products.prepare("INSERT INTO refusals (order_id, state) VALUES (?, 'rejected')");
const insertOrder = orders.prepare(`INSERT INTO orders (${ORDER}) VALUES (?, ?, 'pending', ?, ?, ?, ?, ?)`);
const settleOrder = orders.prepare("UPDATE orders SET status = ?, rejection = ?, updated_at = ? WHERE id = ?");
const findOrder = orders.prepare<[string], { status: string; items: string; rejection: string | null }>(
  "SELECT * FROM orders WHERE id = ?",
);

/** Who waits for an order to be decided, by its id. */
const waiting = new Map<string, () => void>();

const server = createServer((req, res) => {
  if (req.method === "GET") return show(req, res);
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const body = JSON.parse((chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString());
    if (req.url === "/orders") return placeOrder(req, res, body);
    if (req.url === "/products") return addProduct(res, body);
    if (req.url === "/users/register" || req.url === "/users/login") return addUser(res, body);
    send(res, 404, {});
  });
});
server.listen(Number(flags.port), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));

function placeOrder(req: IncomingMessage, res: ServerResponse, body: { product_id: string; quantity: number }) {
  const principal = principalOf(req.headers.authorization ?? "");
  const user = principal && findUser.get(principal.sub);
  if (!user) return send(res, 401, {});
  const product = findProduct.get(body.product_id);
  if (!product) return send(res, 422, {});
  if (product.stock < body.quantity) return send(res, 409, {});
  const { id: product_id, name, price_cents: unit_price_cents, currency } = product;
  const { quantity } = body;
  const id = uuid();
  const now = new Date().toISOString();
  const total_cents = unit_price_cents * quantity;
  const items = [{ product_id, name, quantity, unit_price_cents, line_total_cents: total_cents }];
  const order = { id, user_id: user.id, status: "pending", items, total_cents, currency };
  orders.write(
    () => {
      insertOrder.run(id, user.id, JSON.stringify(items), total_cents, currency, now, now);
      const lines = [{ product_id, quantity }];
      const data = { order_id: id, user_id: user.id, items: lines, total_cents, currency };
      orders.append("order.created", id, data, newTrace());
    },
    () => send(res, 201, { ...order, rejection: null, created_at: now, updated_at: now }, `/orders/${id}`),
  );
}

function newTrace(): string {
  const ids = randomBytes(24).toString("hex");
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-00`;
}

/** What products does with `order.created`: takes the stock, writes the ledger and replies. */
function reserve({ data, traceparent }: Event): void {
  const { order_id, items } = data as { order_id: string; items: { product_id: string; quantity: number }[] };
  const now = new Date().toISOString();
  for (const { product_id, quantity } of items) {
    if (takeStock.run(quantity, now, product_id, quantity).changes === 1) {
      insertLedger.run(order_id, product_id, -quantity, now);
      products.append("stock.reserved", order_id, { order_id }, traceparent);
    } else {
      insertRefusal.run(order_id);
      const data = { order_id, reason: "insufficient-stock", product_id };
      products.append("stock.rejected", order_id, data, traceparent);
    }
  }
}

/** What orders does with the reply. */
function settle({ type, data }: Event): void {
  const { order_id, ...rejection } = data;
  const now = new Date().toISOString();
  const id = String(order_id);
  if (type === "stock.reserved") settleOrder.run("confirmed", null, now, id);
  else settleOrder.run("rejected", JSON.stringify(rejection), now, id);
  orders.afterCommit(() => {
    waiting.get(id)?.();
    waiting.delete(id);
  });
}

/** ES256 is verified once per token, as it would be by anybody who wants to be fast. */
function principalOf(authorization: string) {
  const known = principals.get(authorization);
  if (known !== undefined && known.exp > Date.now() / 1000) return known;
  const claims = jwt.verify(authorization.slice("Bearer ".length), publicKey, { algorithms: ["ES256"] });
  if (typeof claims === "string" || claims.sub === undefined || claims.exp === undefined) return undefined;
  const principal = { sub: claims.sub, exp: claims.exp };
  principals.set(authorization, principal);
  return principal;
}

function addUser(res: ServerResponse, body: { name?: string; email: string; password: string }): void {
  const id = uuid();
  const password = createHash("sha256").update(body.password).digest("hex");
  insertUser.run(id, body.name ?? body.email, body.email, body.email, password, new Date().toISOString());
  const token = jwt.sign({}, privateKey, { algorithm: "ES256", subject: id, expiresIn: 3_600 });
  send(res, 201, { user: { id }, token });
}

function addProduct(res: ServerResponse, body: { name: string; price_cents: number; stock: number }): void {
  const id = uuid();
  const now = new Date().toISOString();
  insertProduct.run(id, body.name, body.price_cents, body.stock, now, now);
  send(res, 201, { id, ...body });
}

/** An order when it is decided, a product, or that all is well. */
function show(req: IncomingMessage, res: ServerResponse) {
  const [, kind, id = ""] = (req.url ?? "").split("/");
  if (kind === "products") return answer(res, findProduct.get(id));
  if (kind !== "orders") return send(res, 200, { status: "ok" });
  const order = () => {
    const row = findOrder.get(id);
    return row && { ...row, items: JSON.parse(row.items), rejection: row.rejection && JSON.parse(row.rejection) };
  };
  const found = order();
  if (found?.status !== "pending") return answer(res, found);
  waiting.set(id, () => answer(res, order()));
}

function answer(res: ServerResponse, found: object | undefined): void {
  send(res, found === undefined ? 404 : 200, found ?? {});
}

function send(res: ServerResponse, status: number, body: object, location?: string): void {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    ...(location === undefined ? undefined : { Location: location }),
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(text),
  });
  res.end(text);
}
