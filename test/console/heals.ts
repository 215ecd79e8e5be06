import { expect } from "chai";
import type { Locator, Page, Request } from "playwright-core";
import { type ControlName, controlTexts } from "../../console/src/model/control.ts";
import { moveModule } from "../support/move-module.ts";
import { until } from "../support/process.ts";
import { startRedisServer } from "../support/redis.ts";
import type { ProcessShop } from "../support/topology.ts";
import { findViolations } from "./axe.ts";

/** As somebody who has never seen it: kills products, orders, sees the order wait, starts products again, and sees it confirmed. */
export async function killProductsAndOrder(page: Page): Promise<void> {
  const control = page.locator("quartet-controls [data-control=kill-products]");
  const trickle = page.locator("quartet-trickle");
  // What is drawn; the same is spoken, too, in a sentence, once it has lasted.
  const down = page.locator("quartet-pulse-strip").getByText("does not answer", { exact: true });
  const order = () => orderUnlessUnderWay(page, control);
  await untilSeenWhile(page, "kill-products", down);
  await untilSeenWhile(page, "kill-products", trickle.locator("p.own.waiting"), order);
  const told = control.getByText(/^[1-9]\d* orders?, \d+ events? wait now\.$/);
  await untilSeenWhile(page, "kill-products", told, order);
  const drawn = trickle.locator('path.own[d^="M"]'); // among those that wait
  await untilSeenWhile(page, "kill-products", drawn, order);
  expect(await findViolations(page, "quartet-pulse-section")).to.deep.equal([]);
  await undoByButton(page, "kill-products");
  await trickle.locator(".own.confirmed").waitFor();
  await down.waitFor({ state: "detached" });
}

/**
 * Waits for what is to be seen while something is broken on purpose. On a machine that is busy that may have undone itself before: it
 * is done again.
 * @param prepare called before each look
 */
export async function untilSeenWhile(
  page: Page,
  broken: ControlName,
  seen: Locator,
  prepare = async (): Promise<void> => undefined,
): Promise<void> {
  const button = buttonOf(page, broken, "do");
  await until(
    `${seen} is seen`,
    async () => {
      if (await button.isVisible()) await button.click(PATIENCE).catch(() => undefined);
      await prepare();
      return seen.isVisible();
    },
    WITHIN_MS,
  );
}

/** Places one order by the button that is in there, unless one that was placed before is still to be confirmed. */
export async function orderUnlessUnderWay(page: Page, within: Locator): Promise<void> {
  if (await page.locator("quartet-trickle p.own:not(.confirmed)").isVisible()) return;
  await within
    .getByRole("button", { name: "Place one order" })
    .click(PATIENCE)
    .catch(() => undefined);
}

/** Undoes by its button what was done on purpose. On a machine that is busy it may have undone itself before: it is done again. */
export async function undoByButton(page: Page, name: ControlName): Promise<void> {
  let isAsked = false;
  const listen = (request: Request): void => {
    const isUndo =
      request.url().endsWith(`/console/controls/${name}`) && request.postData()?.includes('"undo"') === true;
    isAsked ||= isUndo;
  };
  page.on("request", listen);
  await until(
    `the button undoes ${name}`,
    async () => {
      const isUndone = await buttonOf(page, name, "do").isVisible();
      if (isAsked) return true;
      await buttonOf(page, name, isUndone ? "do" : "undo")
        .click(PATIENCE)
        .catch(() => undefined);
      return isAsked;
    },
    WITHIN_MS,
  );
  page.off("request", listen);
}

/** What a button says may change meanwhile. */
const PATIENCE = { timeout: 5_000 };

/** Twice what a machine that is busy may need: what is broken undoes itself after half a minute, and is broken again. */
const WITHIN_MS = 120_000;

function buttonOf(page: Page, name: ControlName, action: "do" | "undo"): Locator {
  const control = page.locator(`quartet-controls [data-control=${name}]`);
  return control.getByRole("button", { name: controlTexts[name][action] });
}

/** Moves orders out of the process and back, and looks at what the diagram shows of it. */
export async function moveOrders(page: Page, shop: ProcessShop): Promise<void> {
  const diagram = page.locator("quartet-flow-diagram");
  const apart = diagram.locator('.frame[data-services="orders"]');
  const gate = diagram.locator("[data-gate=orders]");
  await using lifetime = new AsyncDisposableStack();
  const redis = await startRedisServer();
  lifetime.defer(() => redis.stop());
  const standby = await shop.startBeside("orders", { STANDBY: "on" });
  lifetime.defer(async () => void (await standby.kill()));
  await moveModule(shop.dataDir, "orders", { url: standby.url }, redis.url);
  await gate
    .and(page.locator(".open"))
    .getByText(/^\d+ waited$/)
    .waitFor();
  await apart.waitFor();
  expect(await diagram.locator(".frame").count()).to.equal(2);
  await diagram.getByText(`:${new URL(standby.url).port}`).waitFor();
  await diagram.getByText("Redis Streams").waitFor();
  expect(await findViolations(page, "quartet-flow-section")).to.deep.equal([]);
  await moveModule(shop.dataDir, "orders", "here", redis.url);
  await apart.waitFor({ state: "detached" });
}
