import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { BrowserContext, Page } from "playwright-core";
import { containers, whyNoContainers } from "../support/containers.ts";
import { inWholeRun } from "../support/extent.ts";
import { oneProcess, type Shop, type Topology } from "../support/topology.ts";
import { buildConsole } from "./built.ts";
import { openProfile } from "./chromium.ts";
import { untilLive } from "./page.ts";

/** The pages, and how each is seen to be there. */
const appearing = {
  "/": (page: Page) => page.locator("quartet-flow-diagram svg").first().waitFor(),
  "/docs": (page: Page) => page.locator(".opblock").first().waitFor(),
  "/problems": (page: Page) => page.locator("a[href='/problems/internal']").waitFor(),
  "/problems/internal": (page: Page) => page.getByRole("heading", { name: "Internal" }).waitFor(),
};
type Path = keyof typeof appearing;

/** From each page, where one goes from there. */
const VISITS: readonly (readonly [page: Path, next: Path])[] = [
  ["/", "/problems"],
  ["/docs", "/problems"],
  ["/problems", "/docs"],
  ["/problems/internal", "/problems"],
];

before(async () => {
  await buildConsole();
});

visitsOf(oneProcess);
inWholeRun("visits of the page in containers", () => visitsOf(containers));

/** Nothing here routes requests: a browser that does keeps nothing, and much goes wrong only with what was kept. */
function visitsOf(topology: Topology): void {
  describe(`the pages, visited again, ${topology.name}`, () => {
    let shop: Shop;
    let profile: string;
    let browser: BrowserContext;
    /** Errors of any page. */
    const errors: string[] = [];
    /** What the browser had kept and was told to go on using. */
    const unchanged = new Set<string>();

    before(async function () {
      this.timeout(300_000);
      const why = topology === containers ? await whyNoContainers() : undefined;
      if (why !== undefined) {
        console.log(`      ${why}`);
        this.skip();
      }
      shop = await topology.start({ NODE_ENV: "development", SEED: "on" });
      profile = await mkdtemp(join(tmpdir(), "quartet-profile-"));
      browser = await openProfile(profile);
    });
    after(async () => {
      await browser?.close();
      await shop?.stop();
      if (profile !== undefined) await rm(profile, { recursive: true, force: true });
    });
    beforeEach(() => {
      errors.length = 0;
      unchanged.clear();
    });

    async function openTab(): Promise<Page> {
      const page = await browser.newPage();
      page.setDefaultTimeout(60_000);
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") errors.push(message.text());
      });
      const session = await browser.newCDPSession(page);
      await session.send("Network.enable");
      session.on("Network.responseReceivedExtraInfo", ({ statusCode, requestId }) => {
        if (statusCode === 304) unchanged.add(requestId);
      });
      return page;
    }

    for (const [path, next] of VISITS) {
      it(`${path} is there at the first visit, after reloading, going back and forward, and in a second tab`, async () => {
        const page = await openTab();
        await page.goto(shop.url + path);
        await appearing[path](page);
        await page.reload();
        await appearing[path](page);
        await page.evaluate(() => document.documentElement.setAttribute("data-left", ""));
        await leaveAndReturn(page, shop.url, path, next);
        if (path !== "/") await page.locator("html[data-left]").waitFor(); // the very page that was left
        const second = await openTab();
        await second.goto(shop.url + path);
        await appearing[path](second);
        await second.close();
        await page.close();
        expect(errors).to.deep.equal([]);
        expect(unchanged.size).to.be.greaterThan(0);
      });
    }

    it("/ comes back as it was left, live again", async () => {
      const page = await openTab();
      await page.goto(shop.url);
      await untilLive(page);
      await page.goto(`${shop.url}/problems`);
      await page.goBack({ waitUntil: "commit" });
      await untilLive(page);
      await page.close();
      expect(errors).to.deep.equal([]);
    });
  });
}

/**
 * There and back, and by the browser's own steps once more. A page that was kept whole loads nothing: nobody waits for
 * that, but for what it shows, since a page that is still being put back can be sent nowhere.
 */
async function leaveAndReturn(page: Page, origin: string, path: Path, next: Path): Promise<void> {
  await page.goto(origin + next);
  await appearing[next](page);
  await page.goBack({ waitUntil: "commit" });
  await appearing[path](page);
  await page.goForward({ waitUntil: "commit" });
  await appearing[next](page);
  await page.goBack({ waitUntil: "commit" });
  await appearing[path](page);
}
