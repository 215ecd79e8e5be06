import { newer, type Placement } from "./placement.ts";
import {
  ABSENT_MS,
  type Absence,
  type Action,
  type Away,
  HELD_TRIES,
  LOOK_MS,
  type Message,
  type Next,
  RETRY_MS,
  type Seat,
  type Serving,
  type Taking,
} from "./protocol.ts";

/**
 * Elsewhere, with a gate that leads there; it is looked at now and then whether that is still so. Who is named and does not have it lets
 * calls wait.
 */
export function goAway(seat: Seat, placement: Placement, absence: Absence | undefined): Next {
  const state: Away = { is: "away", placement, absence };
  const gate: Action = placement.owner === seat.place ? { do: "close-gate" } : { do: "turn", placement, here: false };
  const isUnsure = absence !== undefined && absence.held > 0;
  return { state, actions: [gate, { do: "wake", afterMs: isUnsure ? RETRY_MS : LOOK_MS }] };
}

/**
 * Tries to have it. Nothing is believed but what is on disk, read under the lock: who is named there opens, and who is not does
 * nothing, but where the named one has been absent for long enough.
 * @param told the generation of which who told this place of it wants to hear
 */
export function take(placement: Placement, absence: Absence | undefined, told: number | undefined): Next {
  const state: Taking = { is: "taking", placement, absence, task: "take-lock", told, refusal: undefined };
  const gate: readonly Action[] = told === undefined ? [] : [{ do: "close-gate" }]; // calls may come before it is open
  return { state, actions: [...gate, { do: "take-lock" }] };
}

/** Looks whether it should have it; first becomes ready for it, where the owner has been absent for long: nobody is to wait for that at the lock. */
export function look({ placement, absence }: Away, nowMs: number): Next {
  const next = take(placement, absence, undefined);
  if (!isAbsent(absence, placement, nowMs)) return next;
  return go(next.state as Taking, "prepare", { do: "prepare" });
}

function isAbsent(absence: Absence | undefined, { generation }: Placement, nowMs: number): boolean {
  return absence?.generation === generation && nowMs - absence.sinceMs >= ABSENT_MS;
}

/** Opens what is still this place's, with the lock held: a move is given up. */
export function reopen(placement: Placement, task: "open-store" | "join-bus"): Next {
  const none = { absence: undefined, told: undefined, refusal: undefined };
  return { state: { is: "taking", placement, task, ...none }, actions: [{ do: task }] };
}

/** What a message to one who is on the way leads to. */
export function whileTaking(seat: Seat, state: Taking, message: Message, nowMs: number): Next | undefined {
  if (message.is === "told" && message.generation >= state.placement.generation) {
    return { state: { ...state, told: message.generation }, actions: [{ do: "close-gate" }] };
  }
  if (message.is === "heard")
    return { state: { ...state, placement: newer(message.placement, state.placement) }, actions: [] };
  if (message.is === "woken" && state.task === "pause") return take(state.placement, state.absence, state.told);
  if (message.is === "record") return onRecord(seat, state, message.placement, nowMs);
  if (message.is === "done" && message.task === state.task) return onDone(seat, state);
  const task = state.task === "look" ? "read-record" : state.task;
  if (message.is === "failed" && message.task === task) return onFailed(seat, state, message.reason);
  return undefined;
}

function onRecord(seat: Seat, state: Taking, read: Placement, nowMs: number): Next | undefined {
  // Without the lock another may have been named since it was read.
  const placement = state.task === "look" ? newer(read, state.placement) : read;
  const isNamed = placement.owner === seat.place;
  if (state.task === "look") {
    // Whoever has the lock may be about to let go of it.
    if (isNamed) return go({ ...state, placement }, "pause", { do: "wake", afterMs: RETRY_MS });
    return leave(seat, {
      ...state,
      placement,
      absence: held(state.absence),
      refusal: "another is named, and serves it",
    });
  }
  if (state.task !== "read-record") return undefined;
  if (isNamed) return open({ ...state, placement });
  const absence = state.absence?.generation === placement.generation ? state.absence : undefined;
  if (isAbsent(absence, placement, nowMs)) {
    const own = { generation: placement.generation + 1, owner: seat.place, url: seat.url };
    return go({ ...state, placement }, "write-record", { do: "write-record", placement: own });
  }
  const since = { generation: placement.generation, sinceMs: absence?.sinceMs ?? nowMs, held: 0 };
  return free({ ...state, placement, absence: since }, "another is named");
}

function held(absence: Absence | undefined): Absence | undefined {
  if (absence === undefined || absence.held + 1 >= HELD_TRIES) return undefined;
  return { ...absence, held: absence.held + 1 };
}

function onDone(seat: Seat, state: Taking): Next | undefined {
  switch (state.task) {
    case "prepare":
      return go(state, "take-lock", { do: "take-lock" });
    case "take-lock":
      return go(state, "read-record", { do: "read-record" });
    case "write-record": {
      const placement = { generation: state.placement.generation + 1, owner: seat.place, url: seat.url };
      return open({ ...state, placement });
    }
    case "open-store":
      return go(state, "join-bus", { do: "join-bus" });
    case "join-bus":
      return serve(state);
    case "free-lock":
      return leave(seat, state);
    default:
      return undefined;
  }
}

function onFailed(seat: Seat, state: Taking, reason: string): Next | undefined {
  if (state.task === "take-lock") return go(state, "look", { do: "read-record" });
  if (state.task === "prepare") return leave(seat, { ...state, refusal: reason });
  if (state.task === "look") return leave(seat, { ...state, absence: undefined, refusal: reason });
  return free(state, reason);
}

function go(state: Taking, task: Taking["task"], action: Action): Next {
  return { state: { ...state, task }, actions: [action] };
}

function open(state: Taking): Next {
  const next = go(state, "open-store", { do: "open-store" });
  return { ...next, actions: [{ do: "close-gate" }, ...next.actions] };
}

function free(state: Taking, refusal: string): Next {
  return go({ ...state, refusal }, "free-lock", { do: "free-lock" });
}

function leave(seat: Seat, { placement, absence, told, refusal }: Taking): Next {
  const away = goAway(seat, placement, absence);
  if (told === undefined) return away;
  const reply: Action = { do: "reply", to: "tell", generation: told, refusal: refusal ?? "it is not known why" };
  return { ...away, actions: [reply, ...away.actions] };
}

function serve({ placement, told }: Taking): Next {
  const state: Serving = { is: "serving", placement };
  const reply: readonly Action[] =
    told === undefined ? [] : [{ do: "reply", to: "tell", generation: told, refusal: undefined }];
  return { state, actions: [{ do: "turn", placement, here: true }, ...reply, { do: "announce", placement }] };
}
