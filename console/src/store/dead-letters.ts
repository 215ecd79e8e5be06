import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import type { Requests } from "./requests.ts";

/** An event that a module could not handle. */
export interface DeadLetter {
  readonly id: string;
  readonly module: string;
  readonly type: string;
  readonly error: string;
  readonly attempts: number;
}

export interface DeadLetters {
  /** Undefined as long as nobody knows: not signed in as an admin. */
  readonly list: Cell<readonly DeadLetter[] | undefined>;
  /** What came of the last action. */
  readonly notice: Cell<string | undefined>;
  refresh(): Promise<void>;
  settle(id: string, action: "replay" | "discard"): Promise<void>;
}

export function createDeadLetters({ sendQuietly }: Requests, isAdmin: () => boolean): DeadLetters {
  const list = createCell<readonly DeadLetter[] | undefined>(undefined);
  const notice = createCell<string | undefined>(undefined);

  const refresh = async (): Promise<void> => {
    if (!isAdmin()) return list.set(undefined);
    const response = await sendQuietly("/events/dead-letters").catch(() => undefined);
    if (response?.status === 404) list.set([]);
    else list.set(response?.ok ? readList(parseJson(await response.text())) : undefined);
  };

  return {
    list,
    notice,
    refresh,
    async settle(id, action) {
      const path = `/events/dead-letters/${encodeURIComponent(id)}/${action}`;
      const response = await sendQuietly(path, "POST").catch(() => undefined);
      const done = action === "replay" ? "Replayed" : "Discarded";
      notice.set(response?.ok ? `${done} ${id}.` : `That failed: ${response?.status ?? "no answer"}.`);
      await refresh();
    },
  };
}

function readList(body: unknown): DeadLetter[] {
  if (!isRecord(body) || !Array.isArray(body.data)) return [];
  return body.data.filter(isRecord).map(({ id, module, event, error, attempts }) => ({
    id: String(id),
    module: String(module),
    type: isRecord(event) ? String(event.type) : "",
    error: String(error),
    attempts: Number(attempts),
  }));
}
