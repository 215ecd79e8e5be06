import { expect } from "chai";
import type { Browser } from "playwright-core";
import { until } from "../support/process.ts";
import { fourProcesses, type ProcessShop } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { untilLive, visit } from "./page.ts";

describe("the console's list of dead letters, while a module is away", () => {
  let shop: ProcessShop;
  let browser: Browser;

  before(async () => {
    shop = await fourProcesses.start({ NODE_ENV: "development", SEED: "on" });
    browser = await openChromium();
  });
  after(async () => {
    await browser?.close();
    await shop?.stop();
  });

  it("names who is missing, and no longer once it is back", async () => {
    const { page, close } = await visit(browser, shop.url);
    await untilLive(page);
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByRole("button", { name: "Sign in as the demo admin" }).first().click();
    const section = page.locator("quartet-events-section");
    const refresh = section.getByRole("button", { name: "Refresh" });
    await section.getByText("None: every event was handled.").waitFor();
    await shop.kill("products");
    await refresh.click();
    await section.getByText("products does not answer").waitFor();
    expect(await section.getByText("None: every event was handled.").count()).to.equal(0);
    await shop.restart("products");
    const isListed = async () => {
      await refresh.click();
      return (await section.getByText("None: every event was handled.").count()) === 1;
    };
    await until("all are listed again", isListed); // the gateway leaves alone for a second who has not answered
    await close();
  });
});
