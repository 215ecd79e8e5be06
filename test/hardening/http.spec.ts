import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import { request as send } from "undici";
import { type Answer, addProduct, bodyOf } from "../support/api.ts";
import { fourProcesses, oneProcess } from "../support/topology.ts";
import { request, sendRaw } from "./raw.ts";
import { startTarget, type Target } from "./target.ts";

const SHOP = "https://shop.example";

for (const topology of [oneProcess, fourProcesses]) {
  describe(`HTTP in ${topology.name}`, () => {
    let target: Target;
    before(async () => {
      target = await startTarget(topology, { CORS_ORIGINS: `${SHOP}, https://other.example` });
    });
    after(() => target?.stop());

    const call = (method: string, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      target.api.call({ method, path, headers });

    describe("HEAD", () => {
      it("has the headers of every GET that the document lists, Content-Length too, and no body", async () => {
        await target.shop.settled(); // an order that becomes confirmed in between has another length
        const { paths } = bodyOf<{ paths: Record<string, Record<string, unknown>> }>(
          await call("GET", "/openapi.json"),
        );
        const ids: Readonly<Record<string, string>> = {
          "/users/{id}": target.alice.id,
          "/products/{id}": target.product,
          "/orders/{id}": target.order,
        };
        const gets = Object.keys(paths).filter((path) => paths[path]?.get !== undefined);
        expect(gets).to.include.members(["/products", "/orders/{id}", "/livez", "/openapi.json"]);
        for (const template of gets) {
          const path =
            ids[template]?.replace(/^/, template.replace("{id}", "")) ?? template.replace(/\{\w+\}/, "not-found");
          const headers = { authorization: `Bearer ${target.admin.token}` };
          const [get, head] = [await call("GET", path, headers), await call("HEAD", path, headers)];
          expect(head.status, path).to.equal(get.status);
          expect(head.body, path).to.equal(undefined);
          expect(lasting(path, head), path).to.deep.equal(lasting(path, get));
        }
      });

      it("says how long the compressed answer would be", async () => {
        const headers = { "accept-encoding": "gzip" };
        const head = await call("HEAD", "/openapi.json", headers);
        const get = await send(`${target.shop.url}/openapi.json`, { headers });
        const { byteLength } = await get.body.arrayBuffer();
        expect(head.headers["content-encoding"]).to.equal("gzip");
        expect(head.headers["content-length"]).to.equal(String(byteLength));
      });
    });

    describe("OPTIONS", () => {
      it("tells the methods of a path, without a token", async () => {
        const answer = await call("OPTIONS", `/products/${target.product}`);
        expect(answer.status).to.equal(204);
        expect(answer.headers.allow).to.equal("GET, HEAD, OPTIONS, PATCH");
        expect(answer.body).to.equal(undefined);
      });

      it("is 404 where there is nothing", async () => {
        expect((await call("OPTIONS", "/nothing")).status).to.equal(404);
      });

      it("tells of a path that has its own meaning only what that takes", async () => {
        const answer = await call("OPTIONS", "/users/register");
        expect(answer.status).to.equal(204);
        expect(answer.headers.allow).to.equal("OPTIONS, POST");
      });

      it("may ask the whole server", async () => {
        expect((await sendRaw(target.shop.url, request("OPTIONS *"))).status).to.equal(204);
      });
    });

    describe("paths", () => {
      it("that have their own meaning are never taken for an id, whoever asks", async () => {
        const authorization = `Bearer ${target.alice.token}`;
        for (const path of ["/users/register", "/users/login", "/users/refresh", "/users/logout", "/orders/create"]) {
          for (const headers of [{}, { authorization }]) {
            const answer = await call("GET", path, headers);
            expect(answer.status, path).to.equal(405);
            expect(answer.headers.allow, path).to.equal("OPTIONS, POST");
          }
        }
      });

      it("are what the API says, to the letter: what a proxy closes cannot be had by another spelling", async () => {
        const there = ["/metrics", "/status", "/products", "/openapi.json", "/livez"];
        for (const path of there) expect((await call("GET", path)).status, path).to.equal(200);
        for (const path of there.flatMap((path) => [
          `${path}/`,
          path.toUpperCase(),
          path.replace(/[a-z]/, (c) => c.toUpperCase()),
        ]))
          expect((await call("GET", path)).status, path).to.equal(404);
      });

      it("of pages may end with a slash, which leads to the page and answers nothing of it", async () => {
        const { status, headers } = await call("GET", "/docs/");
        expect(status).to.equal(308);
        expect(headers.location).to.equal("/docs");
        expect((await call("GET", "/DOCS")).status).to.equal(404);
      });
    });

    describe("Prefer: wait", () => {
      it("is told as applied, with the value that was honoured", async () => {
        const path = `/orders/${target.order}`;
        const authorization = `Bearer ${target.alice.token}`;
        const prefer = async (text: string) => (await call("GET", path, { authorization, prefer: text })).headers;
        await call("GET", path, { authorization, prefer: "wait=30" });
        expect((await prefer("wait=5"))["preference-applied"]).to.equal("wait=5");
        expect((await prefer("respond-async, wait=100"))["preference-applied"]).to.equal("wait=30");
        expect(await prefer("wait=soon")).not.to.have.property("preference-applied");
        expect(await prefer("respond-async")).not.to.have.property("preference-applied");
      });
    });

    describe("pages of other origins", () => {
      it("may use the API where their origin is allowed, and read its headers, of failures too", async () => {
        for (const path of ["/products", "/nothing", "/users/me"]) {
          const { headers } = await call("GET", path, { origin: SHOP });
          expect(headers["access-control-allow-origin"], path).to.equal(SHOP);
          expect(headers["access-control-expose-headers"], path).to.match(/ETag.*Location.*X-Request-Id/);
          expect(headers.vary, path).to.contain("Origin");
          expect(headers, path).not.to.have.property("access-control-allow-credentials");
        }
      });

      it("are told before they ask what they may send", async () => {
        const preflight = { origin: SHOP, "access-control-request-method": "DELETE" };
        const answer = await call("OPTIONS", "/products", preflight);
        expect(answer.status).to.equal(204);
        expect(answer.headers["access-control-allow-origin"]).to.equal(SHOP);
        expect(answer.headers["access-control-allow-methods"]).to.equal("GET,HEAD,POST,PUT,PATCH,DELETE");
        expect(answer.headers["access-control-allow-headers"]).to.match(/Authorization.*Idempotency-Key.*If-Match/);
      });

      it("may not where it is not, though their answers vary by it all the same", async () => {
        for (const origin of ["https://evil.example", `${SHOP}.evil.example`, "null", SHOP.replace("https", "http")]) {
          for (const method of ["GET", "OPTIONS"]) {
            const { headers } = await call(method, "/products", { origin, "access-control-request-method": "GET" });
            expect(headers, origin).not.to.have.property("access-control-allow-origin");
            expect(headers.vary, origin).to.contain("Origin");
          }
        }
      });
    });

    describe("compression", () => {
      const decoders = { br: brotliDecompressSync, gzip: gunzipSync };

      it("is for large answers and clients that ask for it, and can be undone", async () => {
        const plain = bodyOf<{ data: object[] }>(await call("GET", "/products?limit=10"));
        for (const [encoding, decode] of Object.entries(decoders)) {
          const headers = { "accept-encoding": encoding };
          const answer = await send(`${target.shop.url}/products?limit=10`, { headers });
          expect(answer.headers["content-encoding"]).to.equal(encoding);
          expect(answer.headers.vary).to.contain("Accept-Encoding");
          const text = decode(Buffer.from(await answer.body.arrayBuffer())).toString();
          expect(JSON.parse(text)).to.deep.equal(plain);
        }
      });

      it("is left out where it is not asked for, or excluded", async () => {
        for (const accepted of [undefined, "identity", "gzip;q=0", "compress"]) {
          const { headers } = await call(
            "GET",
            "/openapi.json",
            accepted === undefined ? {} : { "accept-encoding": accepted },
          );
          expect(headers, accepted).not.to.have.property("content-encoding");
          expect(headers.vary, accepted).to.contain("Accept-Encoding");
        }
      });

      it("leaves alone what is small, what has a strong tag, and what holds a token", async () => {
        const accepted = { "accept-encoding": "gzip, br" };
        const large = await addProduct(target.api, target.admin, 1, "x".repeat(100));
        const body = { description: "long ".repeat(390) };
        await target.api.call({ method: "PATCH", path: `/products/${large}`, body, token: target.admin.token });
        const tagged = await call("GET", `/products/${large}`, accepted);
        expect(Number(tagged.headers["content-length"])).to.be.greaterThan(1_024);
        expect(tagged.headers.etag).to.match(/^"/);
        const someone = {
          name: "x".repeat(100),
          email: `${"y".repeat(60)}@example.org`,
          password: "a password of mine",
        };
        const session = await target.api.post("/users/register", someone, undefined, accepted);
        expect(session.status).to.equal(201);
        for (const { headers } of [await call("GET", "/livez", accepted), tagged, session]) {
          expect(headers).not.to.have.property("content-encoding");
        }
      });
    });

    describe("caches", () => {
      it("ask again each time, by tag, and keep apart what somebody signed in may see", async () => {
        const { headers } = await call("GET", `/products/${target.product}`);
        expect(headers["cache-control"]).to.equal("no-cache");
        expect(headers.vary).to.contain("Authorization");
        const again = await call("GET", `/products/${target.product}`, { "if-none-match": String(headers.etag) });
        expect(again.status).to.equal(304);
        expect(again.headers.vary).to.contain("Authorization");
      });

      it("keep nothing of signed-in callers", async () => {
        const authorization = `Bearer ${target.alice.token}`;
        for (const path of [`/products/${target.product}`, "/orders", "/users/me"]) {
          expect((await call("GET", path, { authorization })).headers["cache-control"], path).to.equal("no-store");
        }
      });
    });
  });
}

describe("HTTP without CORS_ORIGINS", () => {
  it("lets no page of another origin in, and does not vary by origin", async () => {
    const target = await startTarget(oneProcess, {});
    try {
      const { headers } = await target.api.get("/products", undefined, { origin: SHOP });
      expect(headers).not.to.have.property("access-control-allow-origin");
      expect(headers.vary ?? "").not.to.contain("Origin");
    } finally {
      await target.stop();
    }
  });
});

/** What belongs to the answer, not to the connection, and does not change from one request to the next. What a page measures of itself may be longer or shorter by then. */
function lasting(path: string, { headers }: Answer): Readonly<Record<string, string>> {
  const { date, connection, "keep-alive": idle, "x-request-id": id, "content-length": length, ...rest } = headers;
  return ["/status", "/metrics"].includes(path) ? rest : { ...rest, "content-length": String(length) };
}
