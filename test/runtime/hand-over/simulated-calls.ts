import type { Placement } from "../../../src/runtime/move/placement.ts";
import type { Call, Leg, Result } from "./call.ts";
import type { Life } from "./life.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** After its deadline a call is waited for so long: it may be on its way to the disk. */
export const GRACE_MS = 100;

/** The calls of a process: of its own clients, by its door, at its gate and in its store. */
export class SimulatedCalls {
  placement: Placement;
  /** In this process, and not where the placement says. */
  isHere = false;
  readonly #process: SimulatedProcess;
  readonly #life: Life;
  /** Those that wait, while the gate is closed. */
  #gate: Set<Leg> | undefined;
  /** Calls that have begun in the store and are not on disk yet. */
  #underWay = 0;
  readonly #waits = new Set<Leg>();
  #handsOnWaits = false;
  /** What the store holds, as this opening of it knows. */
  #rows: readonly number[] = [];

  constructor(process: SimulatedProcess, life: Life) {
    this.#process = process;
    this.#life = life;
    this.placement = life.around.disk.record;
  }

  /** Calls the module for a client of this process. */
  place(call: Call, answered: (result: Result) => void): void {
    let isAnswered = false;
    const answer = (result: Result) => {
      if (!isAnswered && this.#life.isAlive) answered(result);
      isAnswered = true;
    };
    this.#life.later(call.deadlineMs + GRACE_MS - this.#life.around.events.now(), () => answer("unknown"));
    this.arrive({ call, isWritten: false, answer });
  }

  closeGate(): void {
    this.#gate ??= new Set();
  }

  /** @throws Error when it was known already that the module is elsewhere */
  turn(placement: Placement, isHere: boolean): void {
    if (placement.generation < this.placement.generation && this.#life.around.without === undefined) {
      throw new Error(`${this.#process.name} goes back to where the module was before`);
    }
    const waiting = this.#gate ?? [];
    this.#gate = undefined;
    this.placement = placement;
    this.isHere = isHere;
    if (isHere) this.#handsOnWaits = false;
    for (const leg of waiting) this.arrive(leg);
  }

  /** A call comes, from here or by the door. */
  arrive(leg: Leg): void {
    const leftMs = leg.call.deadlineMs - this.#life.around.events.now();
    if (leftMs <= 0) end(leg, "not-begun");
    else if (this.#gate !== undefined) this.#waitAtGate(leg, this.#gate, leftMs);
    else if (this.isHere) this.#serve(leg);
    else this.#sendOn(leg);
  }

  opened(): void {
    this.#rows = this.#life.around.disk.rows;
  }

  /** Those that wait, and from now on those that begin to. */
  handOnWaits(): void {
    this.#handsOnWaits = true;
    const waits = [...this.#waits];
    this.#waits.clear();
    for (const wait of waits) this.arrive(wait);
  }

  /** @param then told whether all that had begun has ended by then */
  finish(untilMs: number, then: (isFinished: boolean) => void): void {
    if (this.#underWay === 0 || this.#life.around.events.now() >= untilMs) then(this.#underWay === 0);
    else this.#life.later(5, () => this.finish(untilMs, then));
  }

  #waitAtGate(leg: Leg, gate: Set<Leg>, leftMs: number): void {
    gate.add(leg);
    this.#life.later(leftMs, () => {
      if (this.#gate === gate && gate.delete(leg)) end(leg, "not-begun");
    });
  }

  /** To who has it, who may send it on in his turn. */
  #sendOn(leg: Leg): void {
    const to = this.#life.around.at(this.placement.owner);
    if (to === undefined || to === this.#process) end(leg, "not-begun");
    else this.#send(leg, to);
  }

  #send(leg: Leg, to: SimulatedProcess): void {
    let isSettled = false;
    const settle = (result: Result) => {
      if (isSettled) return;
      isSettled = true;
      to.life.peers.delete(broke);
      this.#life.later(0, () => end(leg, result));
    };
    const broke = () => settle("unknown");
    to.life.peers.add(broke);
    to.life.later(1 + this.#life.delay(), () => to.calls.arrive({ ...leg, answer: settle }));
  }

  #serve(leg: Leg): void {
    const { disk } = this.#life.around;
    const { name } = this.#process;
    if (!disk.isOpenBy(this.#process)) throw new Error(`${name} lets a call through to a store that is shut`);
    if (leg.isWritten) this.#wait(leg);
    else this.#begin(leg);
  }

  #begin(leg: Leg): void {
    const { events, random } = this.#life.around;
    this.#underWay += 1;
    this.#life.later(random.integer(0, 30), () => {
      this.#underWay -= 1;
      if (events.now() < leg.call.deadlineMs) this.#commit(leg);
      else end(leg, "not-begun");
    });
  }

  #commit(leg: Leg): void {
    const { disk } = this.#life.around;
    if (!disk.isOpenBy(this.#process)) throw new Error(`${this.#process.name} commits in a store that is shut`);
    this.#rows = [...this.#rows, leg.call.row];
    disk.rows = this.#rows;
    const wait = { ...leg, isWritten: true };
    if (leg.call.waitMs === 0) end(leg, "done");
    else if (this.#handsOnWaits) this.arrive(wait);
    else this.#wait(wait);
  }

  /** Until the row is decided, which takes some time, or the call has to be answered. */
  #wait(leg: Leg): void {
    const { disk, events } = this.#life.around;
    const { row, waitMs, deadlineMs } = leg.call;
    if (!disk.rows.includes(row)) throw new Error(`row ${row} is lost, and its caller waits for it`);
    this.#waits.add(leg);
    this.#life.later(Math.min(waitMs, deadlineMs - events.now()), () => {
      if (!this.#waits.delete(leg)) return;
      if (!disk.isOpenBy(this.#process)) throw new Error(`row ${row} is waited for in a store that is shut`);
      end(leg, "done");
    });
  }
}

/** Who has only waited gets what there is to see. */
function end(leg: Leg, result: Result): void {
  leg.answer(leg.isWritten ? "done" : result);
}
