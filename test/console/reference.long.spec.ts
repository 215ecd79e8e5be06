import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import packageJson from "../../package.json" with { type: "json" };
import { describeAll } from "../../src/gateway/documents.ts";
import { publicContracts } from "../../src/runtime/modules.ts";
import { oneProcess, type Shop } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";

const POLICY =
  /^default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; style-src 'self' 'sha256-[A-Za-z0-9+/=]{44}'; img-src 'self' data:$/;

describe("the reference of the API", () => {
  let shop: Shop;
  let browser: Browser;

  before(async () => {
    shop = await oneProcess.start();
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it("shows every operation under our policy, and asks nobody else for anything", async () => {
    const { page, complaints, hosts } = await openPage(browser);
    const answer = await page.goto(`${shop.url}/docs`);
    expect(answer?.headers()["content-security-policy"]).to.match(POLICY);
    await page.locator(".opblock").first().waitFor();
    const { paths } = describeAll(publicContracts, packageJson.version).openapi;
    const operations = Object.values(paths).flatMap((item) => Object.keys(item));
    await page
      .locator(".opblock")
      .nth(operations.length - 1)
      .waitFor();
    expect(await page.locator(".opblock").count()).to.equal(operations.length);
    await page.locator("#operations-orders-placeOrder").click();
    await page.locator("#operations-orders-placeOrder .responses-inner").waitFor();
    expect(complaints).to.deep.equal([]);
    expect([...hosts]).to.deep.equal([new URL(shop.url).host]);
  });

  it("draws padlocks on what needs a token, and on nothing else", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${shop.url}/docs`);
    await page.locator(".opblock").first().waitFor();
    const padlocks = (id: string) => page.locator(`[id$="-${id}"] .authorization__btn`).count();
    expect(await Promise.all(["listProducts", "loginUser", "getStatus"].map(padlocks))).to.deep.equal([0, 0, 0]);
    expect(await Promise.all(["placeOrder", "addProduct"].map(padlocks))).to.deep.equal([1, 1]);
  });

  it("opens an operation at a height that can be read, its problems folded", async () => {
    const { page, complaints } = await openPage(browser);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(`${shop.url}/docs`);
    const order = page.locator("#operations-orders-placeOrder");
    await order.locator(".opblock-summary-control").click();
    await order.locator(".responses-inner").waitFor();
    const height = await order.evaluate((operation) => operation.getBoundingClientRect().height);
    expect(height).to.be.lessThan(2_500);
    await order.getByRole("button", { name: "idempotency-key-reused" }).click();
    await order.locator(".example").getByText("/problems/idempotency-key-reused").first().waitFor();
    expect(complaints).to.deep.equal([]);
  });

  it("fits a phone: a problem beside its status, and what a header is below its name", async () => {
    const { page } = await openPage(browser);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${shop.url}/docs`);
    const order = page.locator("#operations-orders-placeOrder");
    await order.locator(".opblock-summary-control").click();
    const folded = order.locator("tr.folded", { hasText: "idempotency-key-reused" });
    await folded.waitFor();
    const firstLine = (element: Element) => {
      const range = document.createRange();
      range.selectNodeContents(element);
      return range.getClientRects()[0]?.top ?? 0;
    };
    const [status, names] = await Promise.all(
      ["td", "button"].map((tag) => folded.locator(tag).first().evaluate(firstLine)),
    );
    expect(Math.abs(Number(status) - Number(names))).to.be.below(6);
    const limit = order.locator("table.headers tr", { hasText: "X-RateLimit-Reset" }).locator("td");
    const [name, meaning] = await Promise.all([0, 1].map((column) => limit.nth(column).boundingBox()));
    if (!name || !meaning) throw new Error("one of them is not drawn");
    expect(meaning.y).to.be.at.least(name.y + name.height);
    expect(meaning.width).to.be.above(200);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.equal(390);
  });

  it("is dark where the system is, and follows it", async () => {
    const { page } = await openPage(browser);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.goto(`${shop.url}/docs`);
    await page.locator(".opblock").first().waitFor();
    await untilColours(page, { page: "dark", text: "light" });
    await page.emulateMedia({ colorScheme: "light" });
    await untilColours(page, { page: "light", text: "dark" });
  });

  it("leads to the page of a problem type, which shows without a complaint", async () => {
    const { page, complaints, hosts } = await openPage(browser);
    await page.goto(`${shop.url}/problems/internal`);
    expect(await page.locator("h1").textContent()).to.equal("Internal");
    expect(complaints).to.deep.equal([]);
    expect([...hosts]).to.deep.equal([new URL(shop.url).host]);
  });
});

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

/** Waits until the page and its text are as light or dark as said. */
async function untilColours(page: Page, wanted: { readonly page: string; readonly text: string }): Promise<void> {
  await page.waitForFunction((wanted) => {
    const word = (color: string) => {
      const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
      return red + green + blue > 3 * 128 ? "light" : "dark";
    };
    const text = document.querySelector(".swagger-ui .opblock-summary-description") ?? document.body;
    const background = word(getComputedStyle(document.body).backgroundColor);
    return background === wanted.page && word(getComputedStyle(text).color) === wanted.text;
  }, wanted);
}
