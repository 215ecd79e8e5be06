import { type Cell, createCell } from "../model/cell.ts";
import { type Control, type ControlName, readControl } from "../model/control.ts";
import { parseJson } from "../model/json.ts";
import { readProblem } from "../model/problem.ts";

/** What can be done on purpose to the running shop. */
export interface Controls {
  /** None where the gateway has none: outside development. */
  readonly list: Cell<readonly Control[]>;
  /** The one that is being done or undone right now. */
  readonly busy: Cell<ControlName | undefined>;
  /** Why the last could not be. */
  readonly failure: Cell<string | undefined>;
  /** @param data what the stream tells of them */
  take(data: Readonly<Record<string, unknown>>): void;
  use(name: ControlName, action: "do" | "undo"): Promise<void>;
}

/** @param fetch as the admin who watches, where there is one */
export function createControls(fetch: (path: string, init: RequestInit) => Promise<Response>): Controls {
  const list = createCell<readonly Control[]>([]);
  const busy = createCell<ControlName | undefined>(undefined);
  const failure = createCell<string | undefined>(undefined);

  const read = (data: unknown): Control | undefined => readControl(data, performance.now());

  /** @returns why it could not be done, undefined where it could */
  async function ask(name: ControlName, action: "do" | "undo"): Promise<string | undefined> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ action });
    const response = await fetch(`/console/controls/${name}`, { method: "POST", headers, body }).catch(() => undefined);
    const answer = response && parseJson(await response.text());
    const changed = response?.ok ? read(answer) : undefined;
    if (changed === undefined) return readProblem(answer)?.detail ?? "The gateway does not answer.";
    list.set(list.get().map((control) => (control.name === name ? changed : control)));
    return undefined;
  }

  return {
    list,
    busy,
    failure,
    take(data) {
      if (Array.isArray(data.controls)) list.set(data.controls.flatMap((control) => read(control) ?? []));
    },
    async use(name, action) {
      if (busy.get() !== undefined) return;
      busy.set(name);
      failure.set(undefined);
      failure.set(await ask(name, action));
      busy.set(undefined);
    },
  };
}
