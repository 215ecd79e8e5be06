import { type Cell, createCell } from "../model/cell.ts";
import type { Known } from "../model/endpoints.ts";
import { isRecord, parseJson } from "../model/json.ts";
import { newUnique } from "../model/traceparent.ts";
import type { Requests } from "./requests.ts";

/** What the page has learnt from the answers it got, to fill in requests to come. */
export interface Knowledge extends Known {
  readonly version: Cell<number>;
  /** Learns of a product before anything has been asked. */
  start(): Promise<void>;
}

export function createKnowledge(requests: Requests): Knowledge {
  const version = createCell(0);
  let productId: string | undefined;
  let orderId: string | undefined;

  const learn = (body: unknown): void => {
    for (const item of itemsOf(body)) {
      if (typeof item.stock === "number" && item.stock > 1 && item.active === true) productId ??= String(item.id);
      if (typeof item.total_cents === "number" && item.status !== "rejected") orderId = String(item.id);
    }
    version.set(version.get() + 1);
  };

  requests.shown.watch(() => learn(requests.shown.get().at(-1)?.answer?.json));

  return {
    version,
    get productId() {
      return productId;
    },
    get orderId() {
      return orderId;
    },
    unique: newUnique,
    async start() {
      const response = await requests.sendQuietly("/products?limit=100").catch(() => undefined);
      if (response?.ok) learn(parseJson(await response.text()));
    },
  };
}

function itemsOf(body: unknown): Record<string, unknown>[] {
  if (!isRecord(body)) return [];
  return Array.isArray(body.data) ? body.data.filter(isRecord) : [body];
}
