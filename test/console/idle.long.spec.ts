import { expect } from "chai";
import type { Page } from "playwright-core";
import { until } from "../support/process.ts";
import { oneProcess } from "../support/topology.ts";
import { runningAnimations, untilLive } from "./page.ts";
import { showShop } from "./shown-shop.ts";

const WATCHED_MS = 8_000;

/** In how many a page may show that it rests: on a busy machine its work takes longer, but one that is busy itself is so in all. */
const WINDOWS = 6;
const MOST_OF_CORE = 0.02;

describe("console: a page that nobody touches", () => {
  const shown = showShop(oneProcess);

  it("rests: it moves nothing and takes under 2 % of a core", async () => {
    const { page, close } = await shown.visit();
    try {
      await untilLive(page);
      const work = await watchWork(page);
      await until("it moves nothing", async () => (await runningAnimations(page)).length === 0);
      await page.waitForTimeout(2_500);
      let share = Number.POSITIVE_INFINITY;
      for (let window = 0; window < WINDOWS && share > MOST_OF_CORE; window += 1) {
        const before = await work();
        await page.waitForTimeout(WATCHED_MS);
        const after = await work();
        share = (after.task - before.task) / (after.at - before.at);
      }
      expect(share).to.be.within(0, MOST_OF_CORE);
      expect(await runningAnimations(page)).to.deep.equal([]);
    } finally {
      await close();
    }
  });
});

/** Tells how long the page has kept a core busy so far, as Chromium counts it from now on: not while others had the core. */
async function watchWork(page: Page): Promise<() => Promise<{ at: number; task: number }>> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  return async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const read = (name: string): number => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
    return { at: read("Timestamp"), task: read("TaskDuration") };
  };
}
