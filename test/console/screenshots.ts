import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { fourProcesses, placesOf, SERVICES } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { untilLive, visit } from "./page.ts";

/** Takes the pictures of docs/screenshots from four real processes, after a real order. */
const FOLDER = fileURLToPath(new URL("../../docs/screenshots", import.meta.url));

/** The ports that the documents tell of; they have to be free. */
const PORTS = placesOf(SERVICES.map((service, at) => [service, 8_000 + at]));

const DEVICES = {
  desktop: { width: 1440, height: 1000, deviceScaleFactor: 1 },
  phone: { width: 390, height: 1_300, deviceScaleFactor: 1.5 },
};

await mkdir(FOLDER, { recursive: true });
const shop = await fourProcesses.start({ NODE_ENV: "development", SEED: "on", ...PORTS });
const browser = await openChromium();
try {
  // The first requests of a process are slow; the pictures are to show what is usual.
  for (let order = 0; order < 5; order += 1) await takeOrder(browser);
  for (const [device, size] of Object.entries(DEVICES)) {
    for (const colorScheme of ["light", "dark"] as const) await picture(browser, device, size, colorScheme);
  }
} finally {
  await browser.close();
  await shop.stop();
}

async function takeOrder(browser: Browser): Promise<void> {
  const { page, close } = await visit(browser, shop.url, { reducedMotion: "reduce" });
  await untilLive(page);
  await page.getByRole("tab", { name: "Order" }).click();
  await page.locator("[data-run=order]").click();
  await page.getByText("confirmed. Nobody waited").waitFor();
  await close();
}

async function picture(
  browser: Browser,
  device: string,
  size: (typeof DEVICES)[keyof typeof DEVICES],
  colorScheme: "light" | "dark",
): Promise<void> {
  const { page, close } = await visit(browser, shop.url, { ...size, colorScheme });
  const save = (name = "") => page.screenshot({ path: `${FOLDER}/${device}-${colorScheme}${name}.png` });
  await untilLive(page);
  await page.getByRole("tab", { name: "Order" }).click();
  await page.locator("[data-run=order]").click();
  await page.getByText("confirmed. Nobody waited").waitFor();
  await page.locator("quartet-playback-bar .progress", { hasText: /^step 8 / }).waitFor();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await page.mouse.move(0, 0);
  await page.evaluate(() => scrollTo(0, 0));
  await page.waitForTimeout(1_000);
  await save();
  await page.getByRole("button", { name: "Show all steps" }).click();
  await page.locator("quartet-endpoint").getByRole("button", { name: "Test POST /products" }).click();
  await page.locator("quartet-exchange .figures", { hasText: "201 Created" }).first().waitFor();
  await page
    .locator("#tester-title, quartet-api-tester h2")
    .first()
    .evaluate((title) => title.scrollIntoView());
  await page.waitForTimeout(1_000);
  if (device === "desktop") await save("-tester");
  await close();
}
