import { expect } from "chai";
import { OpenAPIClientAxios } from "openapi-client-axios";
import packageJson from "../../package.json" with { type: "json" };
import { problemTypes } from "../../src/base/problem-types.ts";
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";
import { type Api, bodyOf, createApi } from "../support/api.ts";
import { oneProcess, type Shop } from "../support/topology.ts";

const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** The page's policy, and the hash of the style that stands in it. */
const OWN_STYLES = new RegExp(`^${RegExp.escape(PAGE_POLICY)}; style-src 'self' 'sha256-[A-Za-z0-9+/=]{44}'`);

const types = problemTypes(...publicContracts.map(({ problems }) => problems));

describe("documents of the API", () => {
  let shop: Shop;
  let api: Api;

  before(async () => {
    shop = await oneProcess.start();
    api = createApi(shop.url);
  });
  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  it("are served as the contracts have them", async () => {
    const { openapi, asyncapi } = describeAll(publicContracts, packageJson.version);
    expect(bodyOf(await api.get("/openapi.json"))).to.deep.equal(JSON.parse(JSON.stringify(openapi)));
    expect(bodyOf(await api.get("/asyncapi.json"))).to.deep.equal(JSON.parse(JSON.stringify(asyncapi)));
  });

  it("are enough for a client that is generated from them to place an order", async () => {
    const definition = bodyOf<object>(await api.get("/openapi.json"));
    const generator = new OpenAPIClientAxios({ definition: definition as never, withServer: { url: shop.url } });
    const client = await generator.init();
    const credentials = { email: "generated@example.org", password: "the password of generated" };
    await call(client, "registerUser", null, { name: "Generated", ...credentials });
    const { token } = await call<{ token: string }>(client, "loginUser", null, credentials);
    const headers = { authorization: `Bearer ${token}` };
    const { data } = await call<{ data: { id: string }[] }>(client, "listProducts", { limit: 1 });
    const order = { product_id: data[0]?.id, quantity: 2 };
    const placed = await call<{ id: string }>(
      client,
      "placeOrder",
      { "Idempotency-Key": "generated-1" },
      order,
      headers,
    );
    const repeated = await call(client, "placeOrder", { "Idempotency-Key": "generated-1" }, order, headers);
    expect(repeated).to.deep.equal(placed);
    const settled = await call(client, "getOrder", { id: placed.id, Prefer: "wait=30" }, undefined, headers);
    expect(settled).to.include({ id: placed.id, status: "confirmed" });
  });

  describe("problem types", () => {
    it("have each a page that tells what happened and what to do", async () => {
      const document = JSON.stringify(bodyOf(await api.get("/openapi.json")));
      const names = new Set(document.matchAll(/"\/problems\/([a-z-]+)"/g).map(([, name = ""]) => name));
      expect(names.size).to.be.greaterThan(30);
      for (const name of names) {
        const { status, meaning, remedy } = types.get(name) ?? {};
        const answer = await api.get(`/problems/${name}`, undefined, { accept: "text/html,*/*;q=0.8" });
        expect(answer.status, name).to.equal(200);
        expect(answer.headers["content-type"]).to.equal("text/html; charset=utf-8");
        expect(answer.headers["content-security-policy"]).to.match(OWN_STYLES);
        expect(answer.body)
          .to.include(`<dd>${status}</dd>`)
          .and.include(meaning ?? "?")
          .and.include(remedy ?? "?");
      }
    });

    it("are JSON for who prefers it, and a page for who says nothing", async () => {
      const answer = await api.get("/problems/rate-limited", undefined, { accept: "application/json" });
      expect(answer.headers["content-type"]).to.equal("application/json; charset=utf-8");
      expect(answer.headers.vary).to.include("Accept");
      const { meaning, remedy } = types.get("rate-limited") ?? {};
      const said = { type: "/problems/rate-limited", title: "Rate limited", status: 429, meaning, remedy };
      expect(answer.body).to.deep.equal(said);
      expect((await api.get("/problems/rate-limited")).headers["content-type"]).to.equal("text/html; charset=utf-8");
    });

    it("are all listed by a page that leads to each, and each leads back", async () => {
      const list = await api.get("/problems", undefined, { accept: "text/html" });
      expect(list.status).to.equal(200);
      expect(list.headers["content-type"]).to.equal("text/html; charset=utf-8");
      const listed = Array.from(String(list.body).matchAll(/href="\/problems\/([a-z-]+)"/g), ([, name]) => name);
      const { paths } = (await api.get("/openapi.json")).body as { paths: object };
      const told = new Set(Array.from(JSON.stringify(paths).matchAll(/\/problems\/([a-z-]+)/g), ([, name]) => name));
      expect(listed.length).to.be.above(20);
      expect(listed).to.include.members([...told]);
      expect([...types.keys()]).to.have.members(listed);
      expect(list.body).to.include('href="/docs"');
      for (const name of listed) {
        const { body } = await api.get(`/problems/${name}`);
        expect(body, name).to.include('href="/problems"').and.include('href="/docs"');
      }
    });

    it("that are not there are a problem themselves", async () => {
      for (const name of ["never-declared", "constructor", "__proto__"]) {
        const answer = await api.get(`/problems/${name}`);
        expect(answer.headers["content-type"]).to.equal("application/problem+json");
        expect(answer.body).to.include({ type: "/problems/not-found", status: 404 });
      }
    });
  });

  it("are also there for a person who ends the address of a page with a slash; the API is taken to the letter", async () => {
    for (const page of ["/docs", "/problems", "/problems/internal"]) {
      const { status, headers } = await api.get(`${page}/?a=b`);
      expect(status, page).to.equal(308);
      expect(headers.location).to.equal(`${page}?a=b`);
    }
    for (const path of ["/products/", "/status/", "/openapi.json/", "/problems/none/../", "/problems//"]) {
      expect((await api.get(path)).status, path).to.be.oneOf([400, 404]);
    }
  });

  it("lock no operation that needs no token", async () => {
    const { paths } = describeAll(publicContracts, packageJson.version).openapi;
    const operations = publicContracts.flatMap((contract) => Object.values(contract.operations));
    expect(operations.some(({ access }) => access === "public")).to.equal(true);
    for (const { access, path, method } of operations) {
      const { security } = { ...paths[path]?.[method.toLowerCase()] };
      expect(security, `${method} ${path}`).to.deep.equal(access === "public" ? [] : [{ bearer: [] }]);
    }
  });
});

type Generated = Readonly<Record<string, (...args: unknown[]) => Promise<{ data: unknown }>>>;

/** Calls an operation by its id, as the generated client has it: parameters, body, further headers. */
async function call<T = Record<string, unknown>>(
  client: object,
  operationId: string,
  parameters: object | null,
  body?: object,
  headers = {},
): Promise<T> {
  const method = (client as Generated)[operationId];
  if (method === undefined) throw new Error(`the client has no ${operationId}`);
  return (await method(parameters, body, { headers })).data as T;
}
