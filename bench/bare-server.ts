import { createHash, generateKeyPairSync } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import jwt from "jsonwebtoken";
import { v7 as uuid } from "uuid";

/**
 * The limit to measure against: the work of POST /orders in bare node:http, and nothing else. No framework, no
 * contract, no validation, no rate limit, no saga. It does read JSON, cache verified tokens, look the user and the
 * product up, write order and event in a group with one sync, and take from the stock in a group of its own.
 */

interface Order {
  readonly id: string;
  readonly product_id: string;
  readonly quantity: number;
}

interface Waiting {
  readonly row: readonly (string | number)[];
  readonly event: string;
  readonly order: Order;
  readonly res: ServerResponse;
  readonly answer: string;
}

const { values: flags } = parseArgs({ options: { port: { type: "string" }, "data-dir": { type: "string" } } });
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const principals = new Map<string, { readonly sub: string; readonly exp: number }>();

const users = open("users", "CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT, email TEXT, password TEXT) STRICT");
const products = open(
  "products",
  "CREATE TABLE products (id TEXT PRIMARY KEY, name TEXT, price_cents INTEGER, currency TEXT, stock INTEGER CHECK (stock >= 0)) STRICT",
);
const orders = open(
  "orders",
  `CREATE TABLE orders (id TEXT PRIMARY KEY, user_id TEXT, status TEXT, items TEXT, total_cents INTEGER, currency TEXT,
     created_at TEXT) STRICT, WITHOUT ROWID;
   CREATE TABLE outbox (seq INTEGER PRIMARY KEY, event TEXT) STRICT`,
);

const findUser = users.prepare<[string], { id: string }>("SELECT id FROM users WHERE id = ?");
const findProduct = products.prepare<
  [string],
  { id: string; name: string; price_cents: number; currency: string; stock: number }
>("SELECT id, name, price_cents, currency, stock FROM products WHERE id = ?");
const insertOrder = orders.prepare("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)");
const insertEvent = orders.prepare("INSERT INTO outbox (event) VALUES (?)");
const takeStock = products.prepare("UPDATE products SET stock = stock - ? WHERE id = ? AND stock >= ?");

let placed: Waiting[] = [];
let created: Order[] = [];

const writeOrders = orders.transaction((group: readonly Waiting[]) => {
  for (const { row, event } of group) {
    insertOrder.run(...row);
    insertEvent.run(event);
  }
});
const writeStock = products.transaction((group: readonly Order[]) => {
  for (const { quantity, product_id } of group) takeStock.run(quantity, product_id, quantity);
});

const server = createServer((req, res) => {
  if (req.method === "GET") return show(req, res);
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.on("end", () => {
    const body = JSON.parse((chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)).toString());
    if (req.url === "/orders") return placeOrder(req, res, body);
    if (req.url === "/products") return addProduct(res, body);
    if (req.url === "/users/register" || req.url === "/users/login") return addUser(res, body);
    send(res, 404, "{}");
  });
});
server.listen(Number(flags.port ?? 0), "127.0.0.1");
process.once("SIGTERM", () => process.exit(0));

function placeOrder(req: IncomingMessage, res: ServerResponse, body: { product_id: string; quantity: number }) {
  const principal = principalOf(req.headers.authorization ?? "");
  const user = principal && findUser.get(principal.sub);
  if (!user) return send(res, 401, "{}");
  const product = findProduct.get(body.product_id);
  if (!product) return send(res, 422, "{}");
  if (product.stock < body.quantity) return send(res, 409, "{}");
  const id = uuid();
  const now = new Date().toISOString();
  const total = product.price_cents * body.quantity;
  const items = [
    {
      product_id: product.id,
      name: product.name,
      quantity: body.quantity,
      unit_price_cents: product.price_cents,
      line_total_cents: total,
    },
  ];
  const order = { id, user_id: user.id, status: "pending", items, total_cents: total, currency: product.currency };
  const lines = [{ product_id: product.id, quantity: body.quantity }];
  placed.push({
    row: [id, user.id, "pending", JSON.stringify(items), total, product.currency, now],
    event: JSON.stringify({
      specversion: "1.0",
      id: uuid(),
      source: "/orders",
      type: "order.created",
      subject: id,
      time: now,
      datacontenttype: "application/json",
      data: { order_id: id, user_id: user.id, items: lines, total_cents: total, currency: product.currency },
    }),
    order: { id, product_id: product.id, quantity: body.quantity },
    res,
    answer: JSON.stringify({ ...order, rejection: null, created_at: now, updated_at: now }),
  });
  if (placed.length === 1) setImmediate(commitOrders);
}

function commitOrders(): void {
  const group = placed;
  placed = [];
  writeOrders.immediate(group);
  if (created.length === 0) setImmediate(commitStock);
  for (const { order, res, answer } of group) {
    created.push(order);
    send(res, 201, answer, { Location: `/orders/${order.id}` });
  }
}

function commitStock(): void {
  const group = created;
  created = [];
  writeStock.immediate(group);
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
  users.prepare("INSERT INTO users VALUES (?, ?, ?, ?)").run(id, body.name ?? body.email, body.email, password);
  const token = jwt.sign({}, privateKey, { algorithm: "ES256", subject: id, expiresIn: 3_600 });
  send(res, 201, JSON.stringify({ user: { id }, token }));
}

function addProduct(res: ServerResponse, body: { name: string; price_cents: number; stock: number }): void {
  const id = uuid();
  products.prepare("INSERT INTO products VALUES (?, ?, ?, 'USD', ?)").run(id, body.name, body.price_cents, body.stock);
  send(res, 201, JSON.stringify({ id, ...body }));
}

function show(req: IncomingMessage, res: ServerResponse) {
  const id = /^\/products\/(.+)$/.exec(req.url ?? "")?.[1];
  if (id === undefined) return send(res, 200, '{"status":"ok"}');
  const product = findProduct.get(id);
  send(res, product === undefined ? 404 : 200, JSON.stringify(product ?? {}));
}

function send(res: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  res.writeHead(status, {
    ...headers,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": Buffer.byteLength(body),
  });
  res.end(body);
}

function open(name: string, schema: string): Database.Database {
  const database = new Database(join(flags["data-dir"] ?? ".", `${name}.db`));
  for (const setting of ["journal_mode = WAL", "synchronous = FULL"]) database.pragma(setting);
  database.exec(schema);
  return database;
}
