import { expect } from "chai";
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";
import { sendRaw } from "../hardening/raw.ts";
import { ADMIN, type Answer, type Api, bodyOf, createApi } from "../support/api.ts";
import { oneProcess, type Shop } from "../support/topology.ts";

const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** What belongs to one answer and not to what is answered. */
const OWN = ["date", "x-request-id", "connection", "keep-alive", "content-length"];

/** What tells of a body, which a 304 has not. */
const OF_BODY = ["content-type", "content-length", "transfer-encoding"];

describe("the headers of answers without a body", () => {
  let shop: Shop;
  let api: Api;
  let token: string;
  let paths: string[];

  before(async () => {
    shop = await oneProcess.start({ SEED: "on" });
    api = createApi(shop.url);
    token = bodyOf<{ token: string }>(await api.post("/users/login", ADMIN)).token;
    paths = [...(await described()), ...(await built()), "/docs/", "/problems/", "/problems/internal/", "/nothing"];
    await shop.settled(); // an order that becomes confirmed in between has another tag, and so has its product
  });
  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  /** Every GET of the document, of things that are there. */
  async function described(): Promise<string[]> {
    const product = bodyOf<{ data: { id: string }[] }>(await api.get("/products")).data[0]?.id ?? "";
    const user = bodyOf<{ id: string }>(await api.get("/users/me", token)).id;
    const order = bodyOf<{ id: string }>(await api.post("/orders", { product_id: product, quantity: 1 }, token)).id;
    const ids = { "/products/{id}": product, "/users/{id}": user, "/orders/{id}": order } as Record<string, string>;
    return Object.entries(describeAll(publicContracts, "1.0.0").openapi.paths)
      .filter(([, methods]) => "get" in methods)
      .map(([path]) => path.replace("{id}", ids[path] ?? "?").replace("{name}", "internal"));
  }

  /** Every file that a page refers to. */
  async function built(): Promise<string[]> {
    const pages = await Promise.all(["/", "/docs"].map((path) => api.get(path)));
    const found = pages.flatMap(({ body }) => Array.from(String(body).matchAll(/(?:src|href)="(\/[^"]+\.\w+)"/g)));
    return found.map(([, path = ""]) => path);
  }

  async function forEach(check: (path: string, headers: Record<string, string>) => Promise<void>): Promise<void> {
    for (const path of new Set(paths)) {
      for (const encoding of ["br", "gzip", "identity"]) {
        for (const who of [{}, { authorization: `Bearer ${token}` }]) {
          await check(path, { "accept-encoding": encoding, ...who });
        }
      }
    }
  }

  it("are those of the answer to GET, where HEAD is asked", async () => {
    await forEach(async (path, headers) => {
      const got = await api.get(path, undefined, headers);
      const head = await api.call({ method: "HEAD", path, headers });
      expect(head.status, path).to.equal(got.status);
      expect(head.body, path).to.equal(undefined);
      expect(without(head, OWN), path).to.deep.equal(without(got, OWN));
      expect("content-length" in head.headers, path).to.equal("content-length" in got.headers);
    });
  });

  it("are those of the whole answer, where it has not changed since", async () => {
    const unchanged = new Set<string>();
    await forEach(async (path, headers) => {
      const got = await api.get(path, undefined, headers);
      const { etag, "last-modified": since } = got.headers;
      for (const condition of [
        ...(etag === undefined ? [] : [{ "if-none-match": etag }]),
        ...(since === undefined ? [] : [{ "if-modified-since": since }]),
      ]) {
        for (const method of ["GET", "HEAD"]) {
          const kept = await api.call({ method, path, headers: { ...headers, ...condition } });
          expect(kept.status, `${method} ${path}`).to.equal(304);
          expect(without(kept, [...OWN, ...OF_BODY]), path).to.deep.equal(without(got, [...OWN, ...OF_BODY]));
          unchanged.add(path);
        }
      }
    });
    expect([...unchanged]).to.include.members(["/", "/docs", "/favicon.svg"]);
    expect([...unchanged].some((path) => path.startsWith("/products/"))).to.equal(true);
    expect([...unchanged].some((path) => path.startsWith("/assets/"))).to.equal(true);
  });

  it("are also on what is no request that could be read", async () => {
    const refused = await sendRaw(shop.url, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nName : x\r\n\r\n");
    const problem = await api.get("/nothing");
    expect(refused.status).to.equal(400);
    for (const [name, value] of Object.entries(without(problem, OWN)))
      expect(refused.headers[name], name).to.equal(value);
  });

  it("let a page be a page, and data nothing", async () => {
    await forEach(async (path, headers) => {
      for (const method of ["GET", "HEAD"]) {
        const { status, headers: told } = await api.call({
          method,
          path,
          headers: { ...headers, accept: "text/html" },
        });
        const isPage = status === 200 && told["content-type"]?.startsWith("text/html") === true;
        expect(told["content-security-policy"], path).to.match(isPage ? startsWith(PAGE_POLICY) : is(DATA_POLICY));
        expect(told["x-content-type-options"], path).to.equal("nosniff");
      }
    });
  });
});

function without({ headers }: Answer, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

const startsWith = (text: string) => new RegExp(`^${RegExp.escape(text)}(;|$)`);
const is = (text: string) => new RegExp(`^${RegExp.escape(text)}$`);
