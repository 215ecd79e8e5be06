import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Api, bodyOf, type OrderBody, type Session } from "../support/api.ts";
import { assertBalanced, type Opening } from "../support/books.ts";
import { until } from "../support/process.ts";
import type { ProcessShop } from "../support/topology.ts";
import type { Load } from "../system/steady-load.ts";

const MAIN = fileURLToPath(new URL("../../bin/main.js", import.meta.url));

/** How long it may take until all is final, and since when, on the clock of `performance.now`. */
export interface Term {
  readonly withinMs?: number;
  readonly sinceMs?: number;
  /** What is known of an order that nobody expected, in words. */
  readonly explain?: (id: string) => Promise<string>;
}

/**
 * Holds what clients were told against what is there, once all is final. Resolves figures, in words.
 * @throws Error when anything was lost or doubled, is not final in time, or does not add up
 */
export async function judge(
  shop: Pick<ProcessShop, "data" | "settled">,
  api: Api,
  admin: Session,
  load: Pick<Load, "acknowledged" | "unanswered">,
  opening: Opening,
  { withinMs = 60_000, sinceMs = performance.now(), explain = async () => "" }: Term = {},
): Promise<string> {
  const finalMs = await untilFinal(api, admin, { withinMs, sinceMs });
  await shop.settled();
  const orders = new Map((await assertBalanced(api, admin, opening)).map((order) => [order.id, order]));
  const told = new Set(load.acknowledged.values());
  const lost = [...told].filter((id) => !orders.has(id));
  const unexpected = [...orders.values()].filter(({ id }) => !told.has(id));
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "reconcile"], {
    env: { ...process.env, ...shop.data },
  });
  const figures = `${told.size} orders, asked again ${load.unanswered.length} times: lost ${lost.length}, unexpected ${unexpected.length}, all final after ${finalMs} ms`;
  if (lost.length + unexpected.length > 0 || !stdout.includes("All adds up.")) {
    const explained = await Promise.all(unexpected.map(({ id }) => explain(id)));
    throw new Error([figures, stdout, JSON.stringify({ lost, unexpected }), ...explained].join("\n"));
  }
  return `${figures}, doubled 0: stock and orders add up`;
}

/** Resolves after how many milliseconds every order is. @throws Error when that is not in time */
export async function untilFinal(
  api: Api,
  admin: Session,
  { withinMs, sinceMs }: Required<Omit<Term, "explain">>,
): Promise<number> {
  await until("every order is final", () => areFinal(api, admin), sinceMs + withinMs - performance.now());
  return Math.round(performance.now() - sinceMs);
}

async function areFinal(api: Api, admin: Session): Promise<boolean> {
  const answer = await api.get("/orders?status=pending&limit=1", admin.token).catch(() => undefined);
  return answer?.status === 200 && bodyOf<{ data: OrderBody[] }>(answer).data.length === 0;
}
