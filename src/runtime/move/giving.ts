import {
  type Action,
  GATE_MS,
  type Giving,
  type GivingTask,
  type Message,
  type Next,
  type Seat,
  type Serving,
} from "./protocol.ts";
import { goAway, reopen, take } from "./taking.ts";

/** Begins to give a module away. */
export function give({ placement }: Serving, to: Seat): Next {
  const next = { generation: placement.generation + 1, owner: to.place, url: to.url };
  return begin({ is: "giving", placement, next, task: "offer", closedAtMs: undefined });
}

/** What the report of a task leads to. */
export function whileGiving(seat: Seat, state: Giving, message: Message, nowMs: number): Next | undefined {
  if (message.is === "done" && message.task === state.task) return onDone(seat, state, nowMs);
  if (message.is === "failed" && message.task === state.task) return onFailed(state, message.reason);
  return undefined;
}

/** The order of a hand-over. Nobody else may write where the module is before the lock is free, and then it is written. */
const AFTER: Readonly<Record<Exclude<GivingTask, "tell">, GivingTask>> = {
  offer: "checkpoint",
  checkpoint: "leave-bus",
  "leave-bus": "hand-on-waits",
  "hand-on-waits": "finish-calls",
  "finish-calls": "close-store",
  "close-store": "write-record",
  "write-record": "free-lock",
  "free-lock": "tell",
};

function onDone(seat: Seat, state: Giving, nowMs: number): Next {
  const { task, next } = state;
  if (task === "tell") return withAction(goAway(seat, next, undefined), { do: "answer", refusal: undefined });
  if (task === "checkpoint") return closeGate(state, nowMs);
  const isLate = state.closedAtMs !== undefined && nowMs - state.closedAtMs > GATE_MS;
  if (isLate && !isWritten(task)) return giveUp(state, `calls have waited for ${GATE_MS / 1_000} seconds`);
  return begin({ ...state, task: AFTER[task] });
}

function closeGate(state: Giving, nowMs: number): Next {
  const next = begin({ ...state, closedAtMs: nowMs, task: AFTER.checkpoint });
  return { ...next, actions: [{ do: "close-gate" }, ...next.actions] };
}

function onFailed(state: Giving, reason: string): Next {
  if (state.task !== "tell") return giveUp(state, reason);
  // It is the other's, which does not have it: whoever gets the lock may name itself, and this one does not wait for long to try.
  const absence = { generation: state.next.generation, sinceMs: Number.NEGATIVE_INFINITY, held: 0 };
  return withAction(take(state.next, absence, undefined), { do: "answer", refusal: reason });
}

/** From then on it is the other's, whatever becomes of this process. */
function isWritten(task: GivingTask): boolean {
  return task === "write-record" || task === "free-lock" || task === "tell";
}

/** Nothing is written: all is as it was before, in the order in which it can be. */
function giveUp({ placement, task }: Giving, reason: string): Next {
  const answer: Action = { do: "answer", refusal: reason };
  switch (task) {
    case "offer":
    case "checkpoint":
      return { state: { is: "serving", placement }, actions: [answer] };
    case "close-store":
    case "write-record":
      return withAction(reopen(placement, "open-store"), answer);
    default:
      return withAction(reopen(placement, "join-bus"), answer);
  }
}

function begin(state: Giving): Next {
  return { state, actions: [taskOf(state)] };
}

function taskOf({ task, next }: Giving): Action {
  switch (task) {
    case "offer":
    case "tell":
      return { do: task, to: next.owner, generation: next.generation };
    case "finish-calls":
      return { do: task, withinMs: GATE_MS };
    case "write-record":
      return { do: task, placement: next };
    default:
      return { do: task };
  }
}

function withAction(next: Next, action: Action): Next {
  return { ...next, actions: [...next.actions, action] };
}
