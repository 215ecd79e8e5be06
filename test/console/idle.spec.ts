import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { oneProcess, type ProcessShop } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { untilLive, visit } from "./page.ts";

const WATCHED_MS = 8_000;

describe("console: a page that nobody touches", function () {
  this.timeout(60_000);
  let browser: Browser;
  let shop: ProcessShop;

  before(async () => {
    browser = await openChromium();
    shop = await oneProcess.start({ NODE_ENV: "development", SEED: "on" });
  });

  after(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it("rests: it moves nothing and takes under 2 % of a core", async () => {
    const { page, close } = await visit(browser, shop.url);
    try {
      await untilLive(page);
      expect(await movements(page)).to.deep.equal([]);
      await page.waitForTimeout(2_500);
      const before = await taskSeconds(page);
      await page.waitForTimeout(WATCHED_MS);
      const after = await taskSeconds(page);
      expect((after.task - before.task) / (after.at - before.at)).to.be.below(0.02);
      expect(await movements(page)).to.deep.equal([]);
    } finally {
      await close();
    }
  });
});

/** How long the page has kept a core busy so far, as Chromium tells it. */
async function taskSeconds(page: Page): Promise<{ at: number; task: number }> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  const read = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return { at: read("Timestamp"), task: read("TaskDuration") };
}

/** The animations that have no end, anywhere on the page. */
function movements(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().iterations === Number.POSITIVE_INFINITY)
      .map(({ id, effect }) => `${id} ${(effect as KeyframeEffect).target?.outerHTML.slice(0, 60)}`),
  );
}
