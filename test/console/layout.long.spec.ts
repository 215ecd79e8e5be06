import { expect } from "chai";
import type { Locator, Page } from "playwright-core";
import { until } from "../support/process.ts";
import { oneProcess } from "../support/topology.ts";
import { orderToTheEnd, textOf, untilLive, type VisitOptions } from "./page.ts";
import { showShop } from "./shown-shop.ts";

/** What is seen at once, on which screen. */
describe("console: at a look", () => {
  const shown = showShop(oneProcess);

  const look = async (options: VisitOptions, check: (page: Page) => Promise<void>): Promise<void> => {
    const { page, close } = await shown.visit({ reducedMotion: "reduce", ...options });
    try {
      await untilLive(page);
      await check(page);
    } finally {
      await close();
    }
  };

  it("the order comes first, with one control that plays, and no button is without a word of what it does", () =>
    look({}, async (page) => {
      expect(await page.getByRole("tab").allInnerTexts()).to.deep.equal(["Order", "Registration"]);
      await page.getByRole("tab", { name: "Order", selected: true }).waitFor();
      expect(
        await page.locator("button:visible", { has: page.locator("path[d='M5 3.2v9.6l7.6-4.8z']") }).count(),
      ).to.equal(1);
      await orderToTheEnd(page);
      const mute = await page
        .locator("quartet-playback-bar button")
        .evaluateAll((all) =>
          all.filter((each) => each.querySelector("path[d*='12 13 4.5']") !== null && each.textContent?.trim() === ""),
        );
      expect(mute).to.deep.equal([]);
      await page.locator("quartet-playback-bar button", { hasText: "Show all" }).waitFor();
    }));

  it("the empty terminal greets, and says what to do", () =>
    look({}, async (page) => {
      expect(await textOf(page, "quartet-response-terminal")).to.match(/Hello\. .*Press a TEST button.*curl http/);
    }));

  it("the lines of Docker's files keep their indentation", () =>
    look({}, async (page) => {
      const compose = page.locator("quartet-docker-cards pre", { hasText: "SERVE: gateway" });
      await compose.waitFor();
      expect(await compose.innerText()).to.match(/^services:\n {2}gateway:\n {4}environment:\n {6}SERVE: gateway\n/);
      for (const lines of await page.locator("quartet-docker-cards pre").allInnerTexts()) {
        expect(lines.split("\n")[0]).to.match(/^\S/);
      }
    }));

  it("on a phone an answer is seen right after TEST", () =>
    look({ width: 390, height: 844 }, async (page) => {
      for (const endpoint of ["GET /products", "POST /orders"]) {
        await page.getByRole("button", { name: `Test ${endpoint}`, exact: true }).click();
        const row = page.locator("quartet-endpoint", { hasText: endpoint.replace(" ", "") }).first();
        const answer = row.locator("quartet-endpoint-answer");
        await answer.locator(".figures .chip", { hasText: /^\d{3} / }).waitFor();
        await expectInView(page, answer.locator(".figures"));
        await until(`the body of the answer of ${endpoint} begins in view`, async () => {
          const body = await answer.locator("quartet-json").boundingBox();
          return body !== null && body.y >= 0 && body.y <= 844 - 40;
        });
      }
    }));

  it("on a wide screen the terminal stands beside the buttons", () =>
    look({ width: 1440 }, async (page) => {
      await page.getByRole("button", { name: "Test POST /orders", exact: true }).click();
      await page
        .locator("quartet-exchange")
        .first()
        .locator(".figures .chip", { hasText: /^\d{3} / })
        .waitFor();
      await expectInView(page, page.locator("quartet-exchange .figures").first());
    }));

  it("a folded part of an answer is drawn when it is unfolded, and gone when it is folded again", () =>
    look({ width: 1440 }, async (page) => {
      await orderToTheEnd(page);
      await page.getByRole("button", { name: "Test GET /orders", exact: true }).click();
      const answer = page.locator("quartet-exchange", { hasText: "GET /orders" }).first().locator("quartet-json");
      const folded = answer.locator("summary", { hasText: "items: [ 1 item ]" }).first();
      await folded.waitFor();
      expect(await answer.getByText("unit_price_cents").count()).to.equal(0);
      await folded.click();
      await answer.locator("summary", { hasText: "0: { 5 members }" }).first().click();
      await answer.getByText("unit_price_cents").first().waitFor();
      await folded.click();
      await answer.getByText("unit_price_cents").waitFor({ state: "detached" });
    }));

  it("at 1024 the diagram and its steps are seen together", () =>
    look({ width: 1024, height: 768 }, async (page) => {
      await orderToTheEnd(page);
      const diagram = await page.locator("quartet-flow-diagram").boundingBox();
      const step = await page.locator("quartet-step-list li").first().boundingBox();
      if (diagram === null || step === null) throw new Error("one of them is not drawn");
      expect(step.x).to.be.above(diagram.x + diagram.width);
      expect(step.y + step.height).to.be.below(768);
      expect(diagram.y + diagram.height).to.be.below(768);
    }));

  it("at 1920 the width is used, and no step of an order has to be scrolled to", () =>
    look({ width: 1920, height: 1080 }, async (page) => {
      await orderToTheEnd(page);
      const section = await page.locator("quartet-flow-section").boundingBox();
      expect(section?.width).to.be.above(1_500);
      const steps = page.locator("quartet-step-list li");
      await steps.nth(12).waitFor(); // there are thirteen at the least
      for (const step of await steps.all()) await expectInView(page, step);
    }));

  it("every document of the gateway is one click away", () =>
    look({}, async (page) => {
      const links = await page.locator("footer a").evaluateAll((all) => all.map((each) => each.getAttribute("href")));
      expect(links).to.include.members([
        "/docs",
        "/openapi.json",
        "/asyncapi.json",
        "/metrics",
        "/problems",
        "/status",
      ]);
      for (const path of links) {
        expect((await fetch(shown.shop.url + path)).status, String(path)).to.equal(200);
      }
    }));
});

/** The page may scroll to it a moment after it has drawn it. */
async function expectInView(page: Page, element: Locator): Promise<void> {
  const { width = 0, height = 0 } = page.viewportSize() ?? {};
  await until(`${element} is in view`, async () => {
    const box = await element.boundingBox();
    return box !== null && box.y >= 0 && box.y + box.height <= height && box.x + box.width <= width;
  });
}
