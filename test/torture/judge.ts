import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Api, allOrders, type Session } from "../support/api.ts";
import { assertBalanced, type Opening } from "../support/books.ts";
import { until } from "../support/process.ts";
import type { ProcessShop } from "../support/topology.ts";
import type { Load } from "../system/steady-load.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

/**
 * Holds what clients were told against what is there, once all is final. Resolves figures, in words.
 * @param withinMs how long that may take
 * @throws Error when anything was lost or doubled, is not final in time, or does not add up
 */
export async function judge(
  shop: ProcessShop,
  api: Api,
  admin: Session,
  load: Load,
  opening: Opening,
  withinMs = 60_000,
): Promise<string> {
  const startedAt = performance.now();
  const isFinal = async () => (await allOrders(api, admin)).every(({ status }) => status !== "pending");
  await until("every order is final", isFinal, withinMs);
  const finalMs = Math.round(performance.now() - startedAt);
  await shop.settled();
  const found = new Set((await assertBalanced(api, admin, opening)).map(({ id }) => id));
  const told = new Set(load.acknowledged.values());
  const lost = told.difference(found).size;
  const unexpected = found.difference(told).size;
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "reconcile"], {
    env: { ...process.env, ...shop.data },
  });
  const figures = `${told.size} orders, asked again ${load.unanswered.length} times: lost ${lost}, unexpected ${unexpected}, all final after ${finalMs} ms`;
  if (lost + unexpected > 0 || !stdout.includes("All adds up.")) throw new Error(`${figures}\n${stdout}`);
  return `${figures}, doubled 0: stock and orders add up`;
}
