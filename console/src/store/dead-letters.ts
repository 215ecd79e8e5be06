import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";
import type { Requests } from "./requests.ts";
import type { Session } from "./session.ts";

/** An event that a module could not handle. */
export interface DeadLetter {
  readonly id: string;
  readonly module: string;
  readonly type: string;
  readonly error: string;
  readonly attempts: number;
}

/** Undefined where nobody may know: not signed in as an admin. */
export type DeadLetterList = readonly DeadLetter[] | "unavailable" | undefined;

export interface DeadLetters {
  readonly list: Cell<DeadLetterList>;
  /** The modules whose letters are not in the list, since they do not answer. */
  readonly missing: Cell<readonly string[]>;
  /** What came of the last action. */
  readonly notice: Cell<string | undefined>;
  refresh(): Promise<void>;
  settle(id: string, action: "replay" | "discard"): Promise<void>;
}

/** @param admin who may see and settle them: the admin who watches, also while a customer acts */
export function createDeadLetters({ sendQuietly }: Requests, admin: () => Session | undefined): DeadLetters {
  const list = createCell<DeadLetterList>(undefined);
  const missing = createCell<readonly string[]>([]);
  const notice = createCell<string | undefined>(undefined);

  const ask = async (): Promise<DeadLetterList> => {
    const response = await sendQuietly("/events/dead-letters", {}, admin());
    if (response.status === 404) return [];
    if (response.status === 401 || response.status === 403) return undefined;
    if (!response.ok) return "unavailable";
    const body = parseJson(await response.text());
    missing.set(isRecord(body) && Array.isArray(body.missing) ? body.missing.map(String) : []);
    return readList(body);
  };

  const refresh = async (): Promise<void> => {
    const told = admin() === undefined ? undefined : await ask().catch(() => "unavailable" as const);
    // Who has signed out meanwhile sees nothing of it.
    list.set(admin() === undefined ? undefined : told);
  };

  return {
    list,
    missing,
    notice,
    refresh,
    async settle(id, action) {
      const path = `/events/dead-letters/${encodeURIComponent(id)}/${action}`;
      const response = await sendQuietly(path, { method: "POST" }, admin()).catch(() => undefined);
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
