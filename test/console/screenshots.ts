import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { startShopProcess, until, untilReady } from "../support/process.ts";
import { openChromium } from "./chromium.ts";
import { orderToTheEnd, untilLive, type Visit, visit } from "./page.ts";

/** Takes the pictures of docs/screenshots from a real `npm run dev`, out of which orders has just been moved under ten orders a second. */
const FOLDER = fileURLToPath(new URL("../../docs/screenshots", import.meta.url));

/** The port that the documents tell of; it has to be free. */
const PORT = "8000";
const URL_OF_SHOP = `http://127.0.0.1:${PORT}`;

/** The step of an order that is lit in the pictures. */
const LIT = 8;

/** Of WebP: text stays sharp, and a picture takes a third of a PNG. */
const QUALITY = 88;

const DEVICES = {
  desktop: { width: 1440, height: 1000, deviceScaleFactor: 1 },
  phone: { width: 390, height: 1_300, deviceScaleFactor: 1.5 },
};

await mkdir(FOLDER, { recursive: true });
const folder = await mkdtemp(join(tmpdir(), "screenshots-"));
const shop = startShopProcess({
  env: { NODE_ENV: "development", SEED: "on", PORT, DATA_DIR: join(folder, "data") },
  args: ["dev"],
  cwd: folder,
});
const browser = await openChromium();
try {
  await untilReady(URL_OF_SHOP, [shop]);
  // The first requests and the first move of a process are slow; the pictures are to show what is usual.
  const first = await visit(browser, URL_OF_SHOP, { reducedMotion: "reduce" });
  await untilLive(first.page);
  for (let order = 0; order < 5; order += 1) await orderToTheEnd(first.page);
  await move(first.page, "out");
  await move(first.page, "back");
  await first.close();
  for (const [device, size] of Object.entries(DEVICES)) {
    for (const colorScheme of ["light", "dark"] as const) await picture(browser, device, size, colorScheme);
  }
} finally {
  await browser.close();
  await shop.terminate();
  await rm(folder, { recursive: true, force: true });
}

async function move(page: Page, way: "out" | "back"): Promise<void> {
  await page
    .locator("quartet-move-control")
    .getByRole("button", { name: `Move orders ${way}` })
    .click();
  const apart = page.locator('quartet-flow-diagram .frame[data-services="orders"]');
  await apart.waitFor({ state: way === "out" ? "attached" : "detached" });
  await page.locator("quartet-move-control button[aria-disabled=false]").waitFor();
}

/** Again, where nobody came while its gate was closed. */
async function moveOutUnderOrders(page: Page): Promise<void> {
  const waited = page.locator("quartet-flow-diagram .gate.open", { hasText: /[1-9]\d* waited/ });
  await until("somebody has waited at the gate", async () => {
    await move(page, "out");
    if (await waited.isVisible()) return true;
    await move(page, "back");
    return false;
  });
}

async function picture(
  browser: Browser,
  device: string,
  size: (typeof DEVICES)[keyof typeof DEVICES],
  colorScheme: "light" | "dark",
): Promise<void> {
  const shown = await visit(browser, URL_OF_SHOP, { ...size, colorScheme });
  const { page, close } = shown;
  const name = `${device}-${colorScheme}`;
  await untilLive(page);
  await orderToTheEnd(page);
  const trickle = page.getByRole("switch", { name: "10 orders a second" });
  await trickle.click();
  await page
    .locator("quartet-trickle")
    .getByText(/: [1-9]\d+ taken/)
    .waitFor();
  await moveOutUnderOrders(page);
  await orderToTheEnd(page);
  await page.getByRole("button", { name: "Show all steps" }).click();
  await page
    .locator("quartet-step-list li button.step")
    .nth(LIT - 1)
    .click();
  await page.mouse.move(0, 0);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(1_000);
  await save(shown, name);
  await trickle.click();
  await move(page, "back");
  await page.locator("quartet-endpoint").getByRole("button", { name: "Test POST /products" }).click();
  await page.locator("quartet-exchange .figures", { hasText: "201 Created" }).first().waitFor();
  await page
    .locator("#tester-title, quartet-api-tester h2")
    .first()
    .evaluate((title) => title.scrollIntoView());
  await page.waitForTimeout(1_000);
  if (device === "desktop") await save(shown, `${name}-tester`);
  await close();
}

async function save({ page, context }: Visit, name: string): Promise<void> {
  const session = await context.newCDPSession(page);
  const { data } = await session.send("Page.captureScreenshot", { format: "webp", quality: QUALITY });
  await writeFile(`${FOLDER}/${name}.webp`, Buffer.from(data, "base64"));
  await session.detach();
}
