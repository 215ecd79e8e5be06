import { expect } from "chai";
import type { Page } from "playwright-core";
import { tooLate } from "../../src/contract/in-time.ts";
import { inWholeRun } from "../support/extent.ts";
import { until } from "../support/process.ts";
import { fourProcesses } from "../support/topology.ts";
import { findViolations } from "./axe.ts";
import { orderUnlessUnderWay, undoByButton, untilSeenWhile } from "./heals.ts";
import { orderToTheEnd, textOf, untilLive, type Visit } from "./page.ts";
import { showShop } from "./shown-shop.ts";

describe("console: what fails is drawn where it failed", () => {
  const shown = showShop(fourProcesses);
  let own: Visit;
  let page: Page;

  const open = async () => {
    own = await shown.visit({ width: 1440, reducedMotion: "reduce" });
    page = own.page;
  };

  afterEach(() => own.close());

  const light = (service: string, state: string) =>
    page.locator(`quartet-status-lights [data-service=${service}].${state}`).waitFor();

  it("a service that is down before an order, red with its problem, until it is back", async () => {
    await open();
    await untilLive(page);
    await page.locator("button.demo-admin").click();
    await shown.shop.kill("products");
    await light("products", "down");
    const posted = page.waitForRequest((request) => request.url().endsWith("/orders/create"));
    await run(page, "order");
    await posted;
    await broken(page, "orders-products");
    expect(await page.locator("quartet-flow-diagram .place.products.broken").count()).to.equal(1);
    const fault = page.locator("quartet-flow-verdict .fault");
    expect(await fault.innerText()).to.match(
      /Step \d+ failed: Orders → Products\. dependency-unavailable.*: .*products/s,
    );
    await expectSafeLink(page, "quartet-flow-verdict");
    await expectSafeLink(page, "quartet-step-list");
    await expectSafeLink(page, "quartet-response-terminal");
    await page.locator("quartet-step-list li.failed").nth(1).waitFor(); // where it failed, and where that was passed on
    const banner = page.locator("quartet-flow-section .outcome");
    await banner.waitFor();
    expect(await findViolations(page)).to.deep.equal([]);
    await page.getByRole("button", { name: "Test GET /products", exact: true }).click();
    await page.getByRole("tab", { name: "GET /products", selected: true }).waitFor();
    await broken(page, "gateway-products");
    await page.getByRole("tab", { name: "Order" }).click();
    await shown.shop.restart("products");
    await banner.waitFor({ state: "detached" });
    await orderToTheEnd(page);
    expect(await page.locator("quartet-flow-diagram .broken").count()).to.equal(0);
  });

  it("what is broken on purpose: orders wait in the page, and are placed once when it is undone", async function () {
    this.timeout(480_000);
    await open();
    await untilLive(page);
    const orders = page.locator("quartet-trickle");
    const strip = page.locator("quartet-pulse-strip");
    const control = (name: string) => page.locator(`quartet-controls [data-control=${name}]`);
    await control("kill-products").and(page.locator(".unavailable")).getByText("npm run dev:four").waitFor();
    const trickle = orders.getByRole("switch", { name: "10 orders a second" });
    await trickle.click();
    await orders.getByText(/: [1-9]\d* taken, 0 refused\.$/).waitFor();
    for (const seen of [
      control("fill-orders").getByText(/^Undone by itself in \d+ s\.$/),
      strip.getByText(/^Orders in this page: [1-9]/),
      strip.getByText(/^[1-9]\d* failed$/).first(),
      orders.locator(".queue", { hasText: "507: " }),
    ]) {
      await untilSeenWhile(page, "fill-orders", seen);
    }
    const waits = orders.locator("p.own.waiting, p.own.pending"); // room for one more may be left
    await untilSeenWhile(page, "fill-orders", waits, () => orderUnlessUnderWay(page, orders));
    expect(await findViolations(page, "quartet-pulse-section")).to.deep.equal([]);
    await undoByButton(page, "fill-orders");
    await control("fill-orders").and(page.locator(".ready")).waitFor();
    await orders.locator(".own.confirmed").waitFor();
    await trickle.click(); // ten a second may be more than a machine that is busy has taken
    await orders.locator(".queue", { hasText: "nothing lost, nothing placed twice" }).waitFor({ timeout: 120_000 });
    await trickle.click();
    await orders.getByText(/: [1-9]\d* taken, 0 refused\.$/).waitFor();
    await page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await orders.locator(".ended", { hasText: "Stopped when this page was hidden." }).waitFor();
    expect(await trickle.getAttribute("aria-checked")).to.equal("false");
  });

  it("but not an order that is rejected or refused because nothing is left: that is the design at its best", async () => {
    await open();
    await untilLive(page);
    await run(page, "oversold");
    await page.locator("quartet-flow-verdict .pride").waitFor();
    expect(await page.locator("quartet-flow-verdict .pride").innerText()).to.match(/the stock never went below zero/);
    await page.locator("quartet-flow-section .outcome.proud").waitFor();
    const row = page.locator("quartet-recent-requests .chip", { hasText: "rejected" }).first();
    expect(await row.getAttribute("class")).to.contain("good");
    expect(await page.locator("quartet-step-list li.failed").count()).to.equal(0);
    expect(await page.locator("quartet-flow-diagram .broken").count()).to.equal(0);
    await page.locator("quartet-endpoint", { hasText: "Place order" }).first().locator("summary").click();
    const body = page.getByLabel("Body of POST /orders", { exact: true });
    const order = JSON.parse(await body.inputValue());
    await body.fill(JSON.stringify({ ...order, quantity: 999 }));
    const answer = page.waitForResponse((response) => response.url().endsWith("/orders"));
    await page.getByRole("button", { name: "Test POST /orders", exact: true }).click();
    expect((await answer).status()).to.equal(409);
    const refused = page.locator("quartet-recent-requests .chip", { hasText: "409 refused" }).first();
    await refused.waitFor();
    expect(await refused.getAttribute("class")).to.contain("good");
    const verdict = page.locator("quartet-flow-verdict .pride", { hasText: "Refused at once" });
    // A list that grows meanwhile may take the click from under the pointer.
    await until("it is on show", async () => {
      await refused.click();
      return verdict.isVisible();
    });
  });

  inWholeRun("the page with more that is down", () => {
    it("a service that was down before the page came, and one that signs in", async () => {
      await shown.shop.kill("products");
      await open();
      await untilLive(page);
      await light("products", "down");
      await run(page, "order");
      await page.getByRole("tab", { name: "Order", selected: true }).waitFor();
      await broken(page, "gateway-products");
      await shown.shop.restart("products");
      await own.close();
      await shown.shop.kill("users");
      await open();
      await untilLive(page);
      await run(page, "order");
      await broken(page, "gateway-users");
      expect(await page.locator("quartet-flow-verdict .fault").innerText()).to.match(/API Gateway → Users/);
      await shown.shop.restart("users");
    });

    it("the gateway itself, and nothing says so any more once it is back", async () => {
      await open();
      await untilLive(page);
      await page.locator("button.demo-admin").click();
      await page.locator(".who-name").waitFor();
      await shown.shop.kill("gateway");
      await page.locator("button.link.reconnecting").waitFor();
      await run(page, "order");
      await broken(page, "client-gateway");
      const banner = page.locator("quartet-flow-section .outcome");
      await banner.waitFor();
      await shown.shop.restart("gateway");
      await banner.waitFor({ state: "detached" });
      await untilLive(page);
    });

    for (const [status, problem, detail, more] of [
      [504, { type: "/problems/upstream-timeout", outcome: "unknown" }, tooLate("unknown").message, ""],
      [504, { type: "/problems/upstream-timeout", outcome: "not-begun" }, tooLate("not-begun").message, ""],
      [429, { type: "/problems/rate-limited" }, "Said by the gateway.", " Try again in 7 s."],
    ] as const) {
      it(`says what a ${status} means, and says it once: ${"outcome" in problem ? problem.outcome : problem.type}`, async () => {
        await open();
        await untilLive(page);
        const body = JSON.stringify({ ...problem, status, detail });
        const headers = { "content-type": "application/problem+json", "retry-after": "7" };
        await page.route("**/orders/create", (route) => route.fulfill({ status, headers, body }));
        await run(page, "order");
        const banner = page.locator("quartet-flow-section .outcome.bad");
        await banner.waitFor();
        expect((await banner.innerText()).trim()).to.equal(`${status}: ${detail}${more}`);
        await broken(page, "client-gateway");
        const verdict = await textOf(page, "quartet-flow-verdict");
        expect(verdict.split(detail).length, verdict).to.equal(2);
        expect(verdict.trim().endsWith(detail), verdict).to.equal(true);
        const link = page.locator(`quartet-flow-verdict a[href="${problem.type}"]`);
        expect(await link.count()).to.equal(1);
      });
    }
  });
});

async function run(page: Page, name: string): Promise<void> {
  await page.locator(`[data-run=${name}]`).click();
  await page.locator(`[data-run=${name}][aria-disabled=false]`).waitFor();
}

/** The one arrow that is drawn as broken: red, its end a cross. */
async function broken(page: Page, edge: string): Promise<void> {
  const path = page.locator(`quartet-flow-diagram [data-edge="${edge}"].broken`);
  await path.waitFor({ state: "attached" });
  expect(await path.getAttribute("marker-end")).to.equal("url(#broken-end)");
  expect(await page.locator("quartet-flow-diagram .edge.broken").count()).to.equal(1);
}

/** The name of the problem leads to its page, in another tab that learns nothing of this one. */
async function expectSafeLink(page: Page, within: string): Promise<void> {
  const link = page.locator(`${within} a[href="/problems/dependency-unavailable"]`).first();
  expect(await link.getAttribute("target"), within).to.equal("_blank");
  expect((await link.getAttribute("rel"))?.split(" "), within).to.include("noopener");
}
