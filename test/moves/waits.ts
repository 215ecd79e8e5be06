import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { type Api, addProduct, bodyOf, createApi, type OrderBody, type Session } from "../support/api.ts";
import { until } from "../support/process.ts";

/** The place in Redis of whoever applies what products hears; see src/bus/redis/lease.ts. */
const PLACE = "quartet:holder:products";

const ORDERS = 30;
/** So many begin to wait, and after a pause so many more. */
const AT_ONCE = 10;
const PAUSE_MS = 25;

const STOCK = 1_000_000;

/** Many who wait for the decision on their orders, which does not come before it is let. */
export interface Waits {
  /** Lets orders be decided. Resolves what was answered other than wanted, in words, when all have been answered. */
  letGo(): Promise<readonly string[]>;
}

/**
 * Opens so many requests that wait. What keeps orders pending is that another has the place in Redis of who would decide on them, as a
 * replica of products that stands still; nothing else is held up.
 * @param opening gets the product that they are for
 * @param placed gets the orders
 */
export async function openWaits(
  url: string,
  redisUrl: string,
  admin: Session,
  count: number,
  opening: Map<string, number>,
  placed: Set<string>,
): Promise<Waits> {
  const redis = new Redis(redisUrl);
  const api = createApi(url, count);
  await redis.set(PLACE, "somebody who stands still"); // for ever: what is renewed would be taken for another shop
  const product = await addProduct(api, admin, STOCK);
  opening.set(product, STOCK);
  const ids: string[] = [];
  // A few may still be decided, by who had the place a moment ago.
  await until("orders stay pending", async () => {
    const order = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, admin.token));
    placed.add(order.id);
    const found = await api.get(`/orders/${order.id}`, admin.token, { prefer: "wait=1" });
    if (bodyOf<OrderBody>(found).status === "pending") ids.push(order.id);
    return ids.length > 0;
  });
  while (ids.length < ORDERS) {
    const order = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, admin.token));
    placed.add(order.id);
    ids.push(order.id);
  }
  const waiting: Promise<string | undefined>[] = [];
  while (waiting.length < count) {
    for (let n = 0; n < AT_ONCE; n += 1) waiting.push(wait(api, admin, ids[waiting.length % ids.length] ?? ""));
    await sleep(PAUSE_MS); // they come one after the other, as people do
  }
  return {
    async letGo() {
      await redis.del(PLACE);
      const wrong = (await Promise.all(waiting)).flatMap((each) => each ?? []);
      redis.disconnect();
      await api.close();
      return wrong.length === 0 ? [] : [`of ${count} who waited ${wrong.length} were told: ${wrong[0]}`];
    },
  };
}

/** Resolves what was wrong with the answer. */
async function wait(api: Api, admin: Session, id: string): Promise<string | undefined> {
  const answer = await api.get(`/orders/${id}`, admin.token, { prefer: "wait=30" }).catch((error: unknown) => error);
  if (answer instanceof Error) return answer.message;
  const { status, body } = answer as Awaited<ReturnType<Api["get"]>>;
  return status === 200 && (body as OrderBody).status === "confirmed" ? undefined : `${status} ${JSON.stringify(body)}`;
}
