import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../support/topology.ts";
import { findViolations } from "./axe.ts";
import { buildConsole } from "./built.ts";
import { openChromium } from "./chromium.ts";
import { linkState, readSteps, runAndWatch, runningAnimations, textOf, untilLive, visit } from "./page.ts";

const BUILT = fileURLToPath(new URL("../../dist/console", import.meta.url));

/** The shop as a person starts it to look around. */
const DEVELOPMENT = { NODE_ENV: "development", SEED: "on" };

describe("the page, as everybody meets it", () => {
  let browser: Browser;

  before(async () => {
    await buildConsole();
    browser = await openChromium();
  });

  after(() => browser?.close());

  describe("console: everybody's", () => {
    let shop: ProcessShop;

    before(async () => {
      shop = await fourProcesses.start(DEVELOPMENT);
    });

    after(() => shop?.stop());

    for (const colorScheme of ["light", "dark"] as const) {
      it(`has nothing for axe to find, ${colorScheme}`, async () => {
        const other = await visit(browser, shop.url, { colorScheme, reducedMotion: "reduce" });
        await untilLive(other.page);
        expect(await findViolations(other.page), "the plan").to.deep.equal([]);
        await other.page.getByRole("button", { name: "Sign in", exact: true }).click();
        expect(await findViolations(other.page), "signing in").to.deep.equal([]);
        await other.page.getByRole("button", { name: "Sign in as the demo admin" }).first().click();
        await runOversoldStill(other.page);
        await other.page.locator("details.more > summary").click();
        await other.page.locator("quartet-endpoint summary").first().click();
        expect(await findViolations(other.page), "after a run").to.deep.equal([]);
        await other.page.getByRole("button", { name: "Waterfall" }).click();
        expect(await findViolations(other.page), "the waterfall").to.deep.equal([]);
        await other.page.getByRole("button", { name: /^Account: / }).click();
        expect(await findViolations(other.page), "the account's menu").to.deep.equal([]);
        await other.close();
      });
    }

    it("works by keyboard alone, with a visible focus", async () => {
      const { page, close } = await visit(browser, shop.url, { reducedMotion: "reduce" });
      await untilLive(page);
      await page.keyboard.press("Tab");
      expect(await focused(page)).to.include({ text: "Skip to the flow" });
      await page.keyboard.press("Enter");
      expect(await focused(page)).to.include({ text: "Order", selected: "true" });
      await page.keyboard.press("ArrowRight");
      expect(await focused(page)).to.include({ text: "Registration", selected: "true" });
      await page.keyboard.press("ArrowLeft");
      expect(await focused(page)).to.include({ text: "Order", selected: "true" });
      await pressUntil(page, "Tab", "Run order");
      await page.keyboard.press("Enter");
      await page.locator("quartet-step-list ol.real").waitFor();
      await pressUntil(page, "Tab", "Client → API Gateway");
      await page.keyboard.press("Enter");
      expect(await page.locator("quartet-step-list li.current .number").innerText()).to.equal("1");
      await pressUntil(page, "Tab", "TEST");
      await page.keyboard.press("Enter");
      await page.locator("quartet-exchange", { hasText: "GET /users" }).first().waitFor();
      await close();
    });

    it("tries what ends a session or an account on one made for it: nobody loses theirs by a click", async () => {
      const { page, close } = await visit(browser, shop.url);
      await untilLive(page);
      await page.locator("button.demo-admin").click();
      await page.locator("details.more > summary").click();
      const tested = async (endpoint: string, status: number) => {
        await page.getByRole("button", { name: `Test ${endpoint}`, exact: true }).click();
        const newest = page.locator("quartet-exchange").first();
        await newest.locator(".request", { hasText: endpoint }).waitFor();
        await newest.locator(".figures .chip", { hasText: String(status) }).waitFor();
        return newest.locator(".as").innerText();
      };
      for (const [endpoint, status] of [
        ["POST /users/refresh", 200],
        ["POST /users/logout", 204],
        ["POST /users/me/password", 204],
        ["DELETE /users/me", 204],
      ] as const) {
        expect(await tested(endpoint, status), endpoint).to.equal("as Ada Sample");
      }
      expect(await tested("GET /users/me", 200)).to.match(/^as (Demo )?Admin/);
      await page.getByRole("button", { name: /^Account: .*, admin$/ }).waitFor();
      await close();
    });

    it("runs all, and all again, within what the shop allows in a minute", async () => {
      const limited = await oneProcess.start({ ...DEVELOPMENT, AUTH_RATE_LIMIT: "10/60s" });
      const { page, close } = await visit(browser, limited.url);
      await untilLive(page);
      const done = page.locator("button.run-all[aria-disabled=false]");
      for (let pass = 1; pass <= 2; pass += 1) {
        const before = await page.locator("quartet-exchange").count();
        await page.locator("button.run-all").click();
        await page.locator("quartet-exchange").nth(before).waitFor(); // it is disabled from before the first until after the last
        await done.waitFor();
        expect(await page.locator("quartet-exchange .figures .chip.bad").allInnerTexts()).to.deep.equal([]);
      }
      await close();
      await limited.stop();
    });

    it("orders for who clicks before the page has heard whether one click signs in", async () => {
      const { page, close } = await visit(browser, shop.url);
      const { promise: told, resolve: tell } = Promise.withResolvers<void>();
      await page.route("**/console/info", async (route) => {
        await told;
        await route.continue();
      });
      await page.reload();
      await page.locator("[data-run=order]").click();
      await page.locator("[data-run=order][aria-disabled=true]").waitFor();
      tell();
      await page.getByText(/ ordered “.+”: /).waitFor();
      await close();
    });

    it("keeps the focus when someone signs in and out", async () => {
      const { page, close } = await visit(browser, shop.url);
      await untilLive(page);
      await page.locator("button.demo-admin").focus();
      await page.keyboard.press("Enter");
      await untilFocused(page, /, admin$/);
      await page.getByRole("button", { name: /^Account: / }).focus();
      await page.keyboard.press("ArrowUp");
      await untilFocused(page, /^Sign out$/);
      await page.keyboard.press("Enter");
      await untilFocused(page, /^Sign in$/);
      await page.keyboard.press("Enter");
      await page.locator("quartet-sign-in .one-click").focus();
      await page.keyboard.press("Enter");
      await page.locator("quartet-sign-in dialog").waitFor({ state: "hidden" });
      await untilFocused(page, /^(Demo )?Admin/);
      await close();
    });

    it("stays paused when someone signs in", async () => {
      const { page, close } = await visit(browser, shop.url);
      await untilLive(page);
      await linkState(page).click();
      await page.locator("button.demo-admin").click();
      await page.getByText("None: every event was handled.").waitFor();
      expect(await linkState(page).innerText()).to.equal("Paused");
      await linkState(page).click();
      await untilLive(page);
      await close();
    });

    it("says that dead letters cannot be had when their list fails", async () => {
      const { page, close } = await visit(browser, shop.url);
      await page.route("**/events/dead-letters", (route) => route.fulfill({ status: 504 }));
      await page.locator("button.demo-admin").click();
      await page.getByText("They cannot be had right now.").waitFor();
      await close();
    });

    it("shows no password of a body that is no valid JSON", async () => {
      const { page, close } = await visit(browser, shop.url);
      await page.locator("details.more > summary").click();
      const row = page.locator("quartet-endpoint", { hasText: "/users/login" });
      await row.locator("summary").click();
      await row.locator("textarea").fill(`{"email": "a@example.com", "password": "harbour-lantern",}`);
      await row.getByRole("button", { name: "Test " }).click();
      await page.locator("quartet-exchange .figures", { hasText: "400" }).waitFor();
      const text = await textOf(page, "quartet-response-terminal");
      expect(text).to.include("••••••••").and.not.to.include("harbour-lantern");
      await close();
    });

    it("shows a gateway that is frozen, and heals", async () => {
      const { page, close } = await visit(browser, shop.url);
      const { pid } = shop.process("gateway");
      const light = page.locator("quartet-status-lights [data-service=gateway]");
      await untilLive(page);
      try {
        process.kill(pid, "SIGSTOP");
        await light.and(page.locator(".down")).waitFor();
        await page.locator("button.link.reconnecting").waitFor();
      } finally {
        process.kill(pid, "SIGCONT");
      }
      await light.and(page.locator(".running")).waitFor();
      await untilLive(page);
      await close();
    });

    it("shows the same facts without movement to those who prefer that", async () => {
      const { page, close } = await visit(browser, shop.url, { reducedMotion: "reduce" });
      await untilLive(page);
      await runOversoldStill(page);
      const steps = await readSteps(page);
      expect(steps.map(({ what }) => what)).to.include("stock.rejected");
      const badges = await page.locator("quartet-flow-diagram .badge text").allInnerTexts();
      expect(badges.length).to.be.at.least(9);
      expect(await runningAnimations(page)).to.deep.equal([]);
      await close();
    });

    it("cuts nothing, from 320 px to a wide screen", async () => {
      const { page, close } = await visit(browser, shop.url, { width: 320, reducedMotion: "reduce" });
      await untilLive(page);
      await runOversoldStill(page);
      await page.locator("button.run-all").click();
      await page.locator("button.run-all[aria-disabled=false]").waitFor();
      await page.locator("details.more > summary").click();
      for (const width of [320, 390, 768, 1100, 1440]) {
        await page.setViewportSize({ width, height: 900 });
        expect(await cutElements(page), `${width} px`).to.deep.equal([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.equal(width);
      }
      await close();
    });

    it("has three themes to choose from, and remembers", async () => {
      const { page, close } = await visit(browser, shop.url, { colorScheme: "light" });
      const theme = page.getByRole("button", { name: /^Theme: / });
      const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await background();
      expect(await theme.getAttribute("aria-label")).to.equal("Theme: system");
      await theme.click();
      await theme.click();
      expect(await theme.getAttribute("aria-label")).to.equal("Theme: dark");
      expect(await background()).not.to.equal(light);
      await page.reload();
      expect(await theme.getAttribute("aria-label")).to.equal("Theme: dark");
      expect(await background()).not.to.equal(light);
      await close();
    });

    it("is small: script and style under 120 KB, gzipped", async () => {
      const html = await readFile(join(BUILT, "index.html"), "utf8");
      const names = new Set(
        Array.from(html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g), ([, name = ""]) => name),
      );
      const files = await Promise.all([...names].map((name) => readFile(join(BUILT, name))));
      expect(files.length).to.be.at.least(1);
      files.push(Buffer.from(html)); // with its style
      const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
      expect(bytes).to.be.below(120 * 1024);
    });
  });

  describe("console in production", () => {
    const admin = { ADMIN_EMAIL: "owner@example.com", ADMIN_PASSWORD: "an owner's long password" };

    it("signs nobody in by itself: an admin with a password sees the flow, others the plan and the lights", async () => {
      const shop = await oneProcess.start({ NODE_ENV: "production", ...admin });
      const { page, close } = await visit(browser, shop.url);
      try {
        await page.locator("button.link.denied").waitFor();
        await page.locator("quartet-status-lights .running").nth(3).waitFor();
        expect(await page.getByRole("button", { name: "demo admin" }).count()).to.equal(0);
        const files = page.locator("quartet-docker-cards pre");
        expect(new Set(await files.allInnerTexts())).to.deep.equal(
          new Set(["Not known: sign in as an admin to see it."]),
        );
        await page.getByRole("tab", { name: "Registration" }).click();
        await page.locator("[data-run=registration]").click();
        await page.locator("quartet-response-terminal .figures", { hasText: "201 Created" }).waitFor();
        await page.getByRole("button", { name: "Account: Ada Sample, customer" }).click();
        await page.getByRole("menuitem", { name: "Sign in as someone else…" }).click();
        await page.getByLabel("E-mail address").fill(admin.ADMIN_EMAIL);
        await page.getByLabel("Password", { exact: true }).fill("not the password");
        await page.locator("quartet-sign-in form button:not([type])").click();
        await page.locator("quartet-sign-in .failure", { hasText: /\w/ }).waitFor();
        await page.getByLabel("Password", { exact: true }).fill(admin.ADMIN_PASSWORD);
        await page.locator("quartet-sign-in form button:not([type])").click();
        await untilLive(page);
        await files.filter({ hasText: "gateway:" }).waitFor();
        await page.locator("quartet-pulse-strip .rows").waitFor();
        expect(await page.locator("quartet-trickle, quartet-controls").count(), "nothing to play with").to.equal(0);
        await runAndWatch(page, "Registration", "registration");
      } finally {
        await close();
        await shop.stop();
      }
    });
  });
});

async function runOversoldStill(page: Page): Promise<void> {
  await page.getByRole("tab", { name: "Order" }).click();
  await page.locator("[data-run=oversold]").click();
  await page.locator("quartet-step-list ol.real").waitFor();
  await page.locator("[data-run=oversold][aria-disabled=false]").waitFor();
}

function focused(page: Page): Promise<Focused> {
  return page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    if (element === null) throw new Error("nothing has the focus");
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      text: element.textContent?.trim().replace(/\s+/g, " ") ?? "",
      selected: element.getAttribute("aria-selected"),
      outline: outlineStyle === "none" ? "none" : outlineWidth,
    };
  });
}

async function untilFocused(page: Page, text: RegExp): Promise<void> {
  await until(`the focus is on ${text}`, async () => text.test((await focused(page)).text));
}

/** Goes on until what has the focus says this; every stop on the way must be visible. */
async function pressUntil(page: Page, key: string, text: string): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    const now = await focused(page);
    expect(now.outline, `focus on ${now.text}`).to.equal("2px");
    if (now.text.includes(text)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} never came to ${text}`);
}

/** What sticks out of the page at its right, through all shadow roots. */
function cutElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const cut: string[] = [];
    const look = (root: ParentNode): void => {
      for (const element of root.querySelectorAll("*")) {
        const box = element.getBoundingClientRect();
        if (box.width > 0 && box.right > width + 0.5 && element.checkVisibility())
          cut.push(element.outerHTML.slice(0, 80));
        if (element.shadowRoot !== null) look(element.shadowRoot);
      }
    };
    look(document);
    return cut;
  });
}

interface Focused {
  readonly text: string;
  readonly selected: string | null;
  readonly outline: string;
}
