import type { Browser } from "playwright-core";
import type { ProcessShop, ProcessTopology } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { type Visit, type VisitOptions, visit } from "./page.ts";

export interface ShownShop {
  readonly shop: ProcessShop;
  /** See `visit`. */
  visit(options?: VisitOptions): Promise<Visit>;
}

/** To be called in a suite: its tests share a shop as a person starts it to look around, and a Chromium to look with. */
export function showShop(topology: ProcessTopology): ShownShop {
  let browser: Browser;
  let shop: ProcessShop;
  before(async () => {
    browser = await openChromium();
    shop = await topology.start({ NODE_ENV: "development", SEED: "on" });
  });
  after(async () => {
    await browser?.close();
    await shop?.stop();
  });
  return {
    get shop() {
      return shop;
    },
    visit: (options) => visit(browser, shop.url, options),
  };
}
