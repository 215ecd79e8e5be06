import { Problem } from "../base/problem.ts";
import { askProcess } from "./client.ts";
import {
  type ControlAction,
  type ControlName,
  type ControlState,
  controlList,
  controlNames,
  controlState,
  LIST_CONTROLS,
  USE_CONTROL,
} from "./controls.ts";
import { socketsIn } from "./sockets.ts";

/** How long a process may take to tell, and to do something. */
const TELL_WITHIN_MS = 2_000;
const DO_WITHIN_MS = 30_000;

/** Of several processes that have a control, that counts which comes first here. */
const RANKS = ["active", "ready", "unavailable"] as const;

/** Why nobody has a control, for whoever wonders. */
const MISSING: Readonly<Record<ControlName, string>> = {
  "move-orders": "Nobody here can start a process for orders: npm run dev can.",
  "kill-products":
    "Products has a process of its own, which nobody here would start again: npm run dev and npm run dev:four would.",
  "hang-redis": "No Redis was started here: npm run dev:four starts one, where REDIS_URL names none.",
  "slow-users": "The process of users does not answer.",
  "fill-orders": "The process of orders does not answer.",
};

/** The controls of all processes whose sockets are below one folder. */
export interface GatheredControls {
  /** How each is, in an order that stays. */
  list(): Promise<ControlState[]>;
  /**
   * Does or undoes one, wherever there is a process that can.
   * @returns how it is then
   * @throws Problem dependency-unavailable when it cannot be done, and what else the process tells
   */
  use(name: ControlName, action: ControlAction): Promise<ControlState>;
}

/** @param tellWithinMs how long a process may take to tell of its controls; one that takes longer has none */
export function gatherControls(dataDir: string, tellWithinMs = TELL_WITHIN_MS): GatheredControls {
  async function list(): Promise<ControlState[]> {
    const told = (await tellAll(dataDir, tellWithinMs)).flatMap(([, states]) => states);
    return controlNames.map((name) => pick(told, name));
  }

  async function use(name: ControlName, action: ControlAction): Promise<ControlState> {
    const told = await tellAll(dataDir, tellWithinMs);
    const can = ({ name: each, state }: ControlState) => each === name && state !== "unavailable";
    const able = told.filter(([, states]) => states.some(can)).map(([socket]) => socket);
    const input = { name, action };
    const answers = await Promise.all(
      able.map((socket) => askProcess(socket, { operation: USE_CONTROL, input, withinMs: DO_WITHIN_MS })),
    );
    if (able.length > 0)
      return pick(
        answers.map((each) => controlState.parse(each)),
        name,
      );
    const { reason = MISSING[name], ...state } = pick(
      told.flatMap(([, states]) => states),
      name,
    );
    if (action === "do") throw new Problem("dependency-unavailable", reason);
    return { ...state, reason };
  }

  return { list, use };
}

/** What each process says of its controls; one that does not answer says nothing. */
async function tellAll(dataDir: string, withinMs: number): Promise<[socket: string, states: ControlState[]][]> {
  return Promise.all(
    (await socketsIn(dataDir)).map(async (socket): Promise<[string, ControlState[]]> => {
      const asked = { operation: LIST_CONTROLS, withinMs };
      const told = await askProcess(socket, asked).catch(() => undefined);
      return [socket, controlList.safeParse(told).data?.controls ?? []];
    }),
  );
}

function pick(told: readonly ControlState[], name: ControlName): ControlState {
  const own = told.filter((each) => each.name === name);
  for (const rank of RANKS) {
    const found = own.find(({ state }) => state === rank);
    if (found !== undefined) return found;
  }
  return { name, state: "unavailable", reason: MISSING[name] };
}
