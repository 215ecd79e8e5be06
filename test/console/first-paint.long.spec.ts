import { expect } from "chai";
import type { Browser } from "playwright-core";
import { oneProcess, type Shop } from "../support/topology.ts";
import { findViolations } from "./axe.ts";
import { buildConsole } from "./built.ts";
import { openChromium } from "./chromium.ts";
import { untilLive } from "./page.ts";

describe("the first paint of a page, before any script has come", () => {
  let shop: Shop;
  let browser: Browser;

  before(async () => {
    await buildConsole();
    shop = await oneProcess.start({ NODE_ENV: "development", SEED: "on" });
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    await shop?.stop();
  });

  for (const [path, words] of [
    ["/", ["Quartet", "Architecture — Real-Time Flow", "API reference"]],
    ["/docs", ["Quartet", "API reference", "OpenAPI"]],
  ] as const) {
    it(`${path} shows its header and title, drawn, from the HTML alone`, async () => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => complaints.push(message.text()));
      const { promise: scriptsMayCome, resolve: letScriptsCome } = Promise.withResolvers<void>();
      await page.route(/\.(js|css)$/, async (route) => {
        await scriptsMayCome;
        await route.continue();
      });
      await page.goto(shop.url + path, { waitUntil: "commit" });
      for (const word of words) await page.getByText(word).first().waitFor();
      await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length > 0);
      const title = page.locator("h1, .brand").first();
      expect(await title.evaluate((element) => getComputedStyle(element).fontWeight)).to.match(/^[67]\d\d$/);
      letScriptsCome();
      if (path === "/") await untilLive(page);
      else await page.locator(".opblock").first().waitFor();
      expect(await page.getByText("The reference is being loaded").count()).to.equal(0);
      expect(await page.locator(".first-paint").isVisible()).to.equal(false);
      expect(complaints).to.deep.equal([]);
      await page.close();
    });

    it(`${path} can be read without scripts, and leads to what needs none`, async () => {
      const context = await browser.newContext({ javaScriptEnabled: false });
      const page = await context.newPage();
      await page.goto(shop.url + path);
      for (const word of words) await page.getByText(word).first().waitFor();
      const link = page.locator("noscript a[href='/openapi.json']");
      expect(await link.isVisible()).to.equal(true);
      expect(await page.getByText("is being loaded").isVisible()).to.equal(false);
      await context.close();
    });
  }

  it("has the theme that was chosen by hand, whatever the system's is", async () => {
    const context = await browser.newContext({ colorScheme: "light" });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.goto(shop.url);
    await untilLive(page);
    const light = await background();
    for (const _ of ["light", "dark"]) await page.getByRole("button", { name: /^Theme: / }).click();
    const dark = await background();
    expect(dark).not.to.equal(light);
    expect(complaints).to.deep.equal([]);
    await page.route(/\.js$/, (route) => route.abort());
    await page.reload();
    await page.locator("h1").waitFor();
    expect(await page.locator("quartet-flow-diagram").count()).to.equal(0);
    expect(await background()).to.equal(dark);
    await context.close();
  });

  it("stands on pages that axe finds nothing wrong with", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const context = await browser.newContext({ colorScheme, viewport: { width: 390, height: 800 } });
      const page = await context.newPage();
      await page.goto(`${shop.url}/problems`);
      expect(await findViolations(page), `/problems, ${colorScheme}`).to.deep.equal([]);
      await page.goto(`${shop.url}/problems/internal`);
      expect(await findViolations(page), `/problems/internal, ${colorScheme}`).to.deep.equal([]);
      await context.close();
    }
  });
});
