import { give, whileGiving } from "./giving.ts";
import type { Placement } from "./placement.ts";
import type { Action, Away, Message, Next, Seat, Serving, State } from "./protocol.ts";
import { goAway, look, take, whileTaking } from "./taking.ts";

/**
 * One place of a module, of those between which it moves: what it does next, from what it is and what it hears. No I/O, and no clock but
 * what it is told.
 *
 * What keeps two from having a database open is the lock of its file, which the system frees when a process ends, and not when it stands
 * still. What says whose it is, is the placement that is written beside it. Only who holds the lock may write that, so that it cannot
 * change under whoever has read it with the lock held. Its generation tells those who hold no lock, callers and processes that ask each
 * other, which of two things that they hear is the newer one.
 *
 * The write is the moment of a hand-over: before it the old owner, which still holds the lock, opens again whatever fails; after it the
 * module is the new one's, also where the old one is killed before it has let go, for then the lock is free and the new one looks.
 */
export function step(seat: Seat, state: State, message: Message, nowMs: number): Next {
  const next = reactionOf(seat, state, message, nowMs);
  return next ?? { state, actions: declined(message) };
}

/** How a process that could serve a module begins: elsewhere, with a first look. @param placement as it is written */
export function begin(seat: Seat, placement: Placement): Next {
  const { state, actions } = goAway(seat, placement, undefined);
  return { state, actions: [...actions, { do: "wake", afterMs: 0 }] };
}

/** Whether the module is on its way to this place or from it; who only looks whether it should have it is at rest. */
export function isMoving(state: State): boolean {
  if (state.is !== "taking") return state.is === "giving";
  return state.told !== undefined || ["write-record", "open-store", "join-bus"].includes(state.task);
}

function reactionOf(seat: Seat, state: State, message: Message, nowMs: number): Next | undefined {
  if (state.is === "ended") return undefined;
  if (message.is === "lock-lost")
    return end(state.placement, "the lock of its file was removed, and another serves it now");
  switch (state.is) {
    case "away":
      return whileAway(seat, state, message, nowMs);
    case "taking":
      return message.is === "offered" ? warmUp(state, message.generation) : whileTaking(seat, state, message, nowMs);
    case "serving":
      return whileServing(seat, state, message);
    case "giving":
      return whileGiving(seat, state, message, nowMs);
  }
}

function whileAway(seat: Seat, state: Away, message: Message, nowMs: number): Next | undefined {
  const { placement, absence } = state;
  switch (message.is) {
    case "woken":
      return look(state, nowMs);
    case "offered":
      return warmUp(state, message.generation);
    case "told":
      return isOld(message.generation, placement) ? undefined : take(placement, absence, message.generation);
    case "heard":
      return isOld(message.placement.generation, placement) ? undefined : goAway(seat, message.placement, absence);
    default:
      return undefined;
  }
}

function whileServing(seat: Seat, state: Serving, message: Message): Next | undefined {
  const { placement } = state;
  switch (message.is) {
    case "give":
      return message.to.place === seat.place ? undefined : give(state, message.to);
    case "told": // once more: the first answer may have been lost
      if (message.generation !== placement.generation) return undefined;
      return { state, actions: [{ do: "reply", to: "tell", generation: message.generation, refusal: undefined }] };
    case "heard": // by the lock it cannot be, unless somebody has removed its file
      if (message.placement.generation <= placement.generation) return undefined;
      return end(message.placement, "another has been named, and serves it now");
    default:
      return undefined;
  }
}

function warmUp(state: State, generation: number): Next | undefined {
  return generation <= state.placement.generation ? undefined : { state, actions: [{ do: "warm-up", generation }] };
}

function isOld(generation: number, known: Placement): boolean {
  return generation < known.generation;
}

function end(placement: Placement, reason: string): Next {
  return { state: { is: "ended", placement }, actions: [{ do: "end", reason }] };
}

const NOT_NOW = "this is not the time for it, or it is past";

/** What is said to whoever asks for something at the wrong time, or of a hand-over that is past. */
function declined(message: Message): readonly Action[] {
  switch (message.is) {
    case "offered":
    case "told": {
      const to = message.is === "offered" ? "offer" : "tell";
      return [{ do: "reply", to, generation: message.generation, refusal: NOT_NOW }];
    }
    case "give":
      return [{ do: "answer", refusal: "the module is not here, is here to stay, or is on its way already" }];
    default:
      return [];
  }
}
