import { expect } from "chai";
import type { Page } from "playwright-core";
import { askForMove } from "../../src/runtime/move/ask-for-move.ts";
import { startRedisServer } from "../support/redis.ts";
import type { ProcessShop } from "../support/topology.ts";
import { findViolations } from "./axe.ts";

/** As somebody who has never seen it: kills products, orders, sees the order wait, starts products again, and sees it confirmed. */
export async function killProductsAndOrder(page: Page): Promise<void> {
  const control = page.locator("quartet-controls [data-control=kill-products]");
  const trickle = page.locator("quartet-trickle");
  // What is drawn; the same is spoken, too, in a sentence, once it has lasted.
  const down = page.locator("quartet-pulse-strip").getByText("does not answer", { exact: true });
  await control.getByRole("button", { name: "Kill products" }).click();
  await down.waitFor();
  await control.getByRole("button", { name: "Place one order" }).click();
  await trickle.locator(".own.waiting").waitFor();
  await control.getByText(/^[1-9]\d* orders?, \d+ events? wait now\.$/).waitFor();
  expect(await trickle.locator("path.own").getAttribute("d"), "it is seen among those that wait").to.match(/^M/);
  expect(await findViolations(page, "quartet-pulse-section")).to.deep.equal([]);
  // On a machine that is busy it may have undone itself by now.
  const undo = control.getByRole("button", { name: "Start it again" });
  await undo.click({ timeout: 5_000 }).catch(() => undefined);
  await trickle.locator(".own.confirmed").waitFor();
  await down.waitFor({ state: "detached" });
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
  await askForMove(shop.dataDir, "orders", { url: standby.url }, redis.url);
  await gate
    .and(page.locator(".open"))
    .getByText(/^\d+ waited$/)
    .waitFor();
  await apart.waitFor();
  expect(await diagram.locator(".frame").count()).to.equal(2);
  await diagram.getByText(`:${new URL(standby.url).port}`).waitFor();
  await diagram.getByText("Redis Streams").waitFor();
  expect(await findViolations(page, "quartet-flow-section")).to.deep.equal([]);
  await askForMove(shop.dataDir, "orders", "here", redis.url);
  await apart.waitFor({ state: "detached" });
}
