import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../rehearsal/traffic.ts";
import { type Api, bodyOf, type OrderBody, type Session } from "../support/api.ts";
import { readStream } from "../support/event-stream.ts";
import { until } from "../support/process.ts";

/** Who looks at a shop for as long as it is under test. */
export interface Watcher {
  /** Ends it. Resolves what was wrong, in words. */
  end(): Promise<readonly string[]>;
}

/** A page of the console, open all the time. */
export async function watchConsole(url: string, { token }: Session): Promise<Watcher> {
  const reader = await readStream(url, { authorization: `Bearer ${token}` });
  let hasEnded = false;
  void reader.ended.then(() => {
    hasEnded = true;
  });
  return {
    async end() {
      const { length } = reader.text();
      await until("the console tells more, or has ended", () => hasEnded || reader.text().length > length).catch(() => {
        hasEnded = true;
      });
      const wrong = hasEnded ? ["the console's stream ended, or fell silent"] : [];
      reader.close();
      return wrong;
    },
  };
}

const PAGE = 10;
const PAUSE_MS = 40;

/** Somebody who reads the list of all orders page by page, again and again. */
export interface Reader extends Watcher {
  /** How often he came to its end. */
  readonly times: () => number;
}

/**
 * Reads the list; each time all that were placed before he began have to be on it, each once.
 * @param placed ids of the orders that were acknowledged so far
 * @param outcomes gets one for each page
 */
export function readList(api: Api, admin: Session, placed: ReadonlySet<string>, outcomes: Outcome[]): Reader {
  const wrong: string[] = [];
  let times = 0;
  let isEnding = false;

  async function readPage(cursor: string): Promise<{ data: OrderBody[]; next_cursor: string | null }> {
    const startedAt = performance.now();
    const query = cursor === "" ? "" : `&cursor=${cursor}`;
    const answer = await api.get(`/orders?limit=${PAGE}${query}`, admin.token);
    outcomes.push({ kind: "orders", tookMs: performance.now() - startedAt });
    return bodyOf(answer);
  }

  async function readAll(): Promise<void> {
    const before = [...placed];
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null && !isEnding; await sleep(PAUSE_MS)) {
      const page = await readPage(cursor);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    if (isEnding) return;
    times += 1;
    const found = new Set(seen);
    if (found.size < seen.length) wrong.push(`${seen.length - found.size} orders were on the list twice`);
    const missing = before.filter((id) => !found.has(id));
    if (missing.length > 0) wrong.push(`${missing.length} orders were not on the list, such as ${missing[0]}`);
  }

  async function goOn(): Promise<void> {
    while (!isEnding) await readAll();
  }

  const going = goOn().catch((error: Error) => void wrong.push(`a page of the list: ${error.message}`));
  return {
    times: () => times,
    async end() {
      isEnding = true;
      await going;
      return wrong;
    },
  };
}
