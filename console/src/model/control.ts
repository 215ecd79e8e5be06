import { isRecord } from "./json.ts";

/** Something that can be done on purpose to the running shop, in development only, and undone. */
export interface Control {
  readonly name: ControlName;
  readonly state: "ready" | "active" | "unavailable";
  /** Why it is unavailable. */
  readonly reason: string | undefined;
  /** When an active one undoes itself, by a clock that only goes forward. */
  readonly undoneAtMs: number | undefined;
}

export type ControlName = keyof typeof controlTexts;

/** What a person reads of each. */
export const controlTexts = {
  "move-orders": {
    do: "Move orders out",
    undo: "Move orders back",
    ready: "Orders leaves for a process of its own, while it serves: calls wait for a moment, and none fails.",
    active: "Orders is in a process of its own, and events go over Redis: the diagram above shows it.",
  },
  "kill-products": {
    do: "Kill products",
    undo: "Start it again",
    ready: "It ends from one moment to the next, as by a crash.",
    active: "Products is killed. Place an order: it waits until products is back.",
  },
  "hang-redis": {
    do: "Hang Redis",
    undo: "Let it go on",
    ready: "It stops in the middle of what it does (SIGSTOP): orders are taken, their events wait.",
    active: "Redis hangs. Place an order: it is taken, and stays pending until its event gets through.",
  },
  "slow-users": {
    do: "Slow users down",
    undo: "Make it quick again",
    ready: "Every call of users takes 1.5 s longer.",
    active: "Users is slow. Place an order: it takes longer, and so does all that asks users.",
  },
  "fill-orders": {
    do: "Fill the disk of orders",
    undo: "Make room again",
    ready: "SQLite finds no room: nothing can be written, what is there can be read.",
    active: "The disk of orders is full. Place an order: it waits until there is room.",
  },
} as const;

/** @param nowMs of a clock that only goes forward. @returns undefined for what is none, or none that this page knows */
export function readControl(data: unknown, nowMs: number): Control | undefined {
  if (!isRecord(data) || !isName(data.name) || !isState(data.state)) return undefined;
  const { name, state, reason, undo_in_ms: undoInMs } = data;
  return {
    name,
    state,
    reason: typeof reason === "string" ? reason : undefined,
    undoneAtMs: typeof undoInMs === "number" ? nowMs + undoInMs : undefined,
  };
}

function isName(value: unknown): value is ControlName {
  return typeof value === "string" && Object.hasOwn(controlTexts, value);
}

function isState(value: unknown): value is Control["state"] {
  return value === "ready" || value === "active" || value === "unavailable";
}
