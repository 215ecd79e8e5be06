import { expect } from "chai";
import { begin, step } from "../../src/runtime/move/hand-over.ts";
import { HOME, type Placement } from "../../src/runtime/move/placement.ts";
import {
  ABSENT_MS,
  type Action,
  type Message,
  type Next,
  type Seat,
  type Serving,
  type State,
  type Task,
} from "../../src/runtime/move/protocol.ts";
import { simulate } from "./hand-over/world.ts";

/** `HAND_OVER_SEED=123` replays one seed, `HAND_OVER_SEEDS=10000` runs more than the usual ones. */
const only = process.env.HAND_OVER_SEED;
const first = Number(only ?? 1);
const total = only === undefined ? Number(process.env.HAND_OVER_SEEDS ?? 700) : 1;

/** Without its lock a hand-over fails in nearly every seed, without its generation in one of a hundred. */
const MOST_SEEDS = 600;

const home: Seat = { place: HOME, url: null };
const standby: Seat = { place: "standby", url: "http://standby" };
const atHome: Placement = { generation: 3, owner: HOME, url: null };
const atStandby: Placement = { generation: 4, owner: "standby", url: "http://standby" };
const serving: Serving = { is: "serving", placement: atHome };

describe("the hand-over of a module", () => {
  it("writes whose it is when the store is shut, while it holds the lock, and lets go of the lock after that", () => {
    const { state, log } = drive(home, serving, [{ is: "give", to: standby }]);
    expect(log).to.deep.equal([
      ...["offer", "checkpoint", "close-gate", "leave-bus", "hand-on-waits", "finish-calls", "close-store"],
      ...["write-record", "free-lock", "tell", "turn", "wake", "answer"],
    ]);
    expect(state).to.deep.include({ is: "away", placement: atStandby });
  });

  for (const fails of [
    "offer",
    "checkpoint",
    "leave-bus",
    "hand-on-waits",
    "finish-calls",
    "close-store",
    "write-record",
  ]) {
    it(`leaves all as it was, and says why, when it fails before that: ${fails}`, () => {
      const { state, log } = drive(home, serving, [{ is: "give", to: standby }], { fails });
      expect(state).to.deep.equal(serving);
      expect(log).to.include("answer").and.not.include("free-lock");
      if (log.includes("close-store")) expect(log.slice(-4)).to.include.members(["join-bus", "turn"]);
    });
  }

  it("gives up before it has written, when calls have waited for too long", () => {
    const { state, log } = drive(home, serving, [{ is: "give", to: standby }], { tookMs: 900 });
    expect(state).to.deep.equal(serving);
    expect(log).to.not.include("write-record");
  });

  it("takes the module back under the lock, with a generation of its own, when the other does not open it", () => {
    const options = { fails: "tell", record: atStandby };
    const { state, log } = drive(home, serving, [{ is: "give", to: standby }], options);
    expect(state).to.deep.equal({ is: "serving", placement: { generation: 5, owner: HOME, url: null } });
    expect(log.slice(log.indexOf("tell") + 1)).to.deep.equal([
      ...["take-lock", "answer", "read-record", "write-record", "close-gate", "open-store", "join-bus"],
      ...["turn", "announce"],
    ]);
  });

  it("replaces a named owner when its lock has been free for ten seconds and not before, and lets go of the lock meanwhile", () => {
    let { state } = begin(standby, atHome);
    for (const nowMs of [0, 5_000, ABSENT_MS - 1, ABSENT_MS]) {
      const looked = drive(standby, state, [{ is: "woken" }], { record: atHome, nowMs });
      state = looked.state;
      expect(state.is).to.equal(nowMs < ABSENT_MS ? "away" : "serving");
      expect(looked.log.includes("free-lock")).to.equal(nowMs < ABSENT_MS);
      expect(looked.log.includes("write-record")).to.equal(nowMs >= ABSENT_MS);
    }
    expect(state.placement).to.deep.equal(atStandby);
  });

  it("leaves all as it is when it is not ready to replace who is absent, and has not had the lock meanwhile", () => {
    const seen = drive(standby, begin(standby, atHome).state, [{ is: "woken" }], { record: atHome });
    const options = { record: atHome, nowMs: ABSENT_MS, fails: "prepare" };
    const { state, log } = drive(standby, seen.state, [{ is: "woken" }], options);
    expect(log).to.deep.equal(["prepare", "turn", "wake"]);
    expect(state).to.deep.equal(seen.state);
  });

  it("begins anew to count when the lock was held meanwhile, but not for one who only looks", () => {
    const look = (state: State, nowMs: number, fails?: string) =>
      drive(standby, state, [{ is: "woken" }], { record: atHome, nowMs, ...(fails !== undefined && { fails }) }).state;
    const seenOnce = look(begin(standby, atHome).state, 0);
    const another = look(seenOnce, 5_000, "take-lock");
    expect(look(another, ABSENT_MS).is).to.equal("serving");
    const back = [5_000, 5_050, 5_100].reduce((state, nowMs) => look(state, nowMs, "take-lock"), seenOnce);
    expect(look(back, ABSENT_MS).is).to.equal("away");
  });

  it("has one who was replaced step back: what is written outranks what he is set to", () => {
    const { state, log } = drive(home, begin(home, atHome).state, [{ is: "woken" }], { record: atStandby });
    expect(state).to.deep.include({ is: "away", placement: atStandby });
    expect(log).to.include("free-lock").and.not.include("open-store");
  });

  it("refuses a second move while one is under way, and one to where it is", () => {
    const { state } = step(home, serving, { is: "give", to: standby }, 0);
    for (const [from, to] of [
      [state, standby],
      [serving, home],
    ] as const) {
      const next = step(home, from, { is: "give", to }, 0);
      expect(next.state).to.equal(from);
      expect(next.actions[0]).to.include({ do: "answer" }).and.have.property("refusal").that.is.a("string");
    }
  });

  describe("simulated", function () {
    this.timeout(0);

    it(`has one owner, loses nothing and answers everybody, whatever fails: ${total} seeds from ${first} on`, () => {
      for (let seed = first; seed < first + total; seed += 1) runSeed(seed);
    });

    it("fails no call where nothing fails, and has none wait for a second", () => {
      for (let seed = 1; seed <= 60; seed += 1) {
        const { generation, notBegun, unknown, slowestMs } = simulate(seed, { isClean: true });
        expect(generation).to.be.greaterThan(1);
        expect({ notBegun, unknown }).to.deep.equal({ notBegun: 0, unknown: 0 });
        expect(slowestMs).to.be.lessThan(1_000);
      }
    });

    it("has two open the store, without its lock", () => {
      expect(firstFailure("lock")).to.match(/^two have the store open/);
    });

    it("does not come to one owner whom all reach, where what is told is believed without the written generation", () => {
      expect(firstFailure("generation")).to.match(/^(not one owner|the owner is not reached|\w+ lets a call through)/);
    });
  });
});

function runSeed(seed: number): void {
  try {
    simulate(seed);
  } catch (error) {
    const replay = `HAND_OVER_SEED=${seed} npx mocha test/runtime/hand-over.spec.ts`;
    throw new Error(`seed ${seed} fails; replay it with: ${replay}\n${String(error)}`, { cause: error });
  }
}

function firstFailure(without: "lock" | "generation"): string | undefined {
  for (let seed = 1; seed <= MOST_SEEDS; seed += 1) {
    try {
      simulate(seed, { without });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  return undefined;
}

interface Driving {
  /** The task that fails, the first time. */
  readonly fails?: string;
  /** What is written. */
  readonly record?: Placement;
  readonly nowMs?: number;
  /** How long each task takes. */
  readonly tookMs?: number;
}

/** Carries out, in names only, whatever messages lead to. */
function drive(
  seat: Seat,
  from: State,
  messages: readonly Message[],
  options: Driving = {},
): { state: State; log: string[] } {
  const log: string[] = [];
  let { nowMs = 0, fails } = options;
  let state = from;
  const waiting = [...messages];
  for (let message = waiting.shift(); message !== undefined; message = waiting.shift()) {
    const next: Next = step(seat, state, message, nowMs);
    state = next.state;
    for (const action of next.actions) {
      log.push(action.do);
      nowMs += options.tookMs ?? 0;
      waiting.push(...reportOf(action, fails, options.record ?? atHome));
      if (action.do === fails) fails = undefined;
    }
  }
  return { state, log };
}

const NOTICES = new Set(["turn", "close-gate", "warm-up", "reply", "announce", "answer", "wake", "end"]);

function reportOf(action: Action, fails: string | undefined, placement: Placement): Message[] {
  if (action.do === "read-record") return [{ is: "record", placement }];
  if (NOTICES.has(action.do)) return [];
  const { do: task } = action as Task;
  return [task === fails ? { is: "failed", task, reason: "a fault" } : { is: "done", task }];
}
