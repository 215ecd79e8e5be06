import { expect } from "chai";
import { OpenAPIClientAxios } from "openapi-client-axios";
import type { Browser, Page } from "playwright-core";
import { knownProblems } from "../../src/contract/problem.ts";
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";
import { version } from "../../src/runtime/version.ts";
import { openChromium } from "../console/chromium.ts";
import { type Api, bodyOf, createApi } from "../support/api.ts";
import { oneProcess, type Shop } from "../support/topology.ts";

const PAGE_POLICY =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

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
    const { openapi, asyncapi } = describeAll(publicContracts, version);
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
    const settled = await call(client, "getOrder", { id: placed.id, Prefer: "wait=10" }, undefined, headers);
    expect(settled).to.include({ id: placed.id, status: "confirmed" });
  });

  describe("problem types", () => {
    it("have each a page that tells what happened and what to do", async () => {
      const document = JSON.stringify(bodyOf(await api.get("/openapi.json")));
      const names = new Set(document.matchAll(/"\/problems\/([a-z-]+)"/g).map(([, name = ""]) => name));
      expect(names.size).to.be.greaterThan(30);
      for (const name of names) {
        const { status, meaning, remedy } = knownProblems().get(name) ?? {};
        const answer = await api.get(`/problems/${name}`, undefined, { accept: "text/html,*/*;q=0.8" });
        expect(answer.status, name).to.equal(200);
        expect(answer.headers["content-type"]).to.equal("text/html; charset=utf-8");
        expect(answer.headers["content-security-policy"]).to.equal(PAGE_POLICY);
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
      const { meaning, remedy } = knownProblems().get("rate-limited") ?? {};
      const said = { type: "/problems/rate-limited", title: "Rate limited", status: 429, meaning, remedy };
      expect(answer.body).to.deep.equal(said);
      expect((await api.get("/problems/rate-limited")).headers["content-type"]).to.equal("text/html; charset=utf-8");
    });

    it("that are not there are a problem themselves", async () => {
      for (const name of ["never-declared", "constructor", "__proto__"]) {
        const answer = await api.get(`/problems/${name}`);
        expect(answer.headers["content-type"]).to.equal("application/problem+json");
        expect(answer.body).to.include({ type: "/problems/not-found", status: 404 });
      }
    });
  });

  describe("page", () => {
    let browser: Browser;
    before(async () => {
      browser = await openChromium();
    });
    after(() => browser?.close());

    it("shows every operation under our policy, and asks nobody else for anything", async () => {
      const { page, complaints, hosts } = await openPage(browser);
      const answer = await page.goto(`${shop.url}/docs`);
      expect(answer?.headers()["content-security-policy"]).to.equal(`${PAGE_POLICY}; img-src 'self' data:`);
      await page.locator(".opblock").first().waitFor();
      const { paths } = describeAll(publicContracts, version).openapi;
      const operations = Object.values(paths).flatMap((item) => Object.keys(item));
      expect(await page.locator(".opblock").count()).to.equal(operations.length);
      await page.locator("#operations-orders-placeOrder").click();
      await page.locator("#operations-orders-placeOrder .responses-inner").waitFor();
      expect(complaints).to.deep.equal([]);
      expect([...hosts]).to.deep.equal([new URL(shop.url).host]);
    });

    it("of a problem type shows without a complaint", async () => {
      const { page, complaints, hosts } = await openPage(browser);
      await page.goto(`${shop.url}/problems/internal`);
      expect(await page.locator("h1").textContent()).to.equal("Internal");
      expect(complaints).to.deep.equal([]);
      expect([...hosts]).to.deep.equal([new URL(shop.url).host]);
    });
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

async function openPage(browser: Browser): Promise<{ page: Page; complaints: string[]; hosts: Set<string> }> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const hosts = new Set<string>();
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== "data:") hosts.add(host);
  });
  return { page, complaints, hosts };
}
