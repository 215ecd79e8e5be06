import { begin, step } from "../../../src/runtime/move/hand-over.ts";
import { newer, type Placement } from "../../../src/runtime/move/placement.ts";
import {
  type Action,
  LOOK_MS,
  type Message,
  type Next,
  type Seat,
  type State,
  type Task,
} from "../../../src/runtime/move/protocol.ts";
import { Life, type Surroundings } from "./life.ts";
import { SimulatedCalls } from "./simulated-calls.ts";

const OFFER_MS = 5_000;
const TELL_MS = 10_000;
const RESTART_MS = 500;

type Question = "offer" | "tell";

/** One life of a process that calls the module, and may be a place of it: carries out what the hand-over says. */
export class SimulatedProcess {
  readonly name: string;
  readonly seat: Seat | undefined;
  readonly life: Life;
  readonly calls: SimulatedCalls;
  state: State | undefined;
  readonly #around: Surroundings;
  #timer = 0;
  #question: { readonly task: Question; readonly generation: number } | undefined;

  constructor(name: string, seat: Seat | undefined, around: Surroundings) {
    this.name = name;
    this.seat = seat;
    this.#around = around;
    this.life = new Life(this, around);
    this.calls = new SimulatedCalls(this, this.life);
    if (seat === undefined) this.#lookAgain();
    else this.#follow(begin(seat, around.disk.record));
  }

  /** A message of the hand-over. */
  hear(message: Message): void {
    if (this.seat === undefined || this.state === undefined) return;
    const state = this.#around.without === "generation" ? unnumbered(this.state, message) : this.state;
    this.#follow(step(this.seat, state, message, this.#around.events.now()));
  }

  #follow({ state, actions }: Next): void {
    this.state = state;
    for (const action of actions) this.#do(action);
  }

  #do(action: Action): void {
    switch (action.do) {
      case "turn":
        this.calls.turn(action.placement, action.here);
        break;
      case "close-gate":
        this.calls.closeGate();
        break;
      case "wake":
        this.#wake(action.afterMs);
        break;
      case "announce":
        this.#around.send("all", (process) => process.#heard(action.placement), this);
        break;
      case "warm-up":
        this.life.later(this.life.delay(), () =>
          this.#reply("offer", action.generation, this.life.fails() ? "cold" : undefined),
        );
        break;
      case "reply":
        this.#reply(action.to, action.generation, action.refusal);
        break;
      case "answer":
        break;
      case "end":
        this.#around.crash(this, RESTART_MS);
        break;
      default:
        this.#begin(action);
    }
  }

  #wake(afterMs: number): void {
    const timer = ++this.#timer;
    this.life.later(afterMs, () => {
      if (timer === this.#timer) this.hear({ is: "woken" });
    });
  }

  /** Somebody says where the module is. Who could not serve it himself sends his calls there. */
  #heard(placement: Placement): void {
    if (this.seat !== undefined) this.hear({ is: "heard", placement });
    else if (this.#around.without === "generation") this.calls.turn(placement, false);
    else this.calls.turn(newer(placement, this.calls.placement), false);
  }

  /** What is heard may be lost: now and then it is read. */
  #lookAgain(): void {
    this.life.later(LOOK_MS, () => {
      this.#heard(this.#around.disk.record);
      this.#lookAgain();
    });
  }

  // ── Tasks ──

  #begin(task: Task): void {
    switch (task.do) {
      case "offer":
      case "tell":
        this.#ask(task.do, task.to, task.generation);
        break;
      case "finish-calls":
        this.calls.finish(this.#around.events.now() + task.withinMs, (isFinished) =>
          this.#report(task, isFinished ? undefined : "calls take too long"),
        );
        break;
      case "read-record":
        this.life.later(this.life.delay(), () => {
          const placement = this.#read();
          this.life.later(this.life.delay(), () => this.hear({ is: "record", placement }));
        });
        break;
      default:
        this.life.later(this.life.delay(), () => this.#report(task, this.#carryOut(task)));
    }
  }

  /** @param failure why not, undefined when it is done */
  #report({ do: task }: Task, failure: string | undefined): void {
    const message: Message = failure === undefined ? { is: "done", task } : { is: "failed", task, reason: failure };
    this.life.later(this.life.delay(), () => this.hear(message));
  }

  /** @returns why not */
  #carryOut(task: Task): string | undefined {
    const { disk } = this.#around;
    switch (task.do) {
      case "take-lock":
        return disk.takeLock(this) ? undefined : "busy";
      case "free-lock":
        disk.freeLock(this);
        return undefined;
      case "write-record":
        if (this.life.fails()) return "the disk is full";
        disk.write(this, task.placement);
        return undefined;
      case "open-store":
        if (this.life.fails()) return "it cannot be opened";
        disk.open(this);
        this.calls.opened();
        return undefined;
      case "close-store":
        disk.close(this);
        return this.life.fails() ? "it was not closed well" : undefined;
      case "hand-on-waits":
        this.calls.handOnWaits();
        return undefined;
      case "prepare":
      case "checkpoint":
      case "leave-bus":
        return this.life.fails() ? "it takes too long" : undefined;
      default:
        return undefined;
    }
  }

  #read(): Placement {
    const { disk, without } = this.#around;
    if (without !== "generation" || this.state?.is !== "taking" || this.state.told === undefined) return disk.record;
    // Nothing says whether what it was told still holds, so that it is believed.
    return { generation: this.state.told, owner: this.seat?.place ?? "", url: null };
  }

  // ── Questions to another ──

  #ask(task: Question, to: string, generation: number): void {
    const { send, at } = this.#around;
    const question = { task, generation };
    this.#question = question;
    const end = (reason: string) => this.life.later(0, () => this.#answered(question, reason));
    at(to)?.life.peers.add(() => end("it has hung up"));
    if (at(to) === undefined) end("nobody is there");
    this.life.later(task === "offer" ? OFFER_MS : TELL_MS, () => this.#answered(question, "it is silent"));
    const message: Message = { is: task === "offer" ? "offered" : "told", generation };
    send(to, (process) => process.hear(message), this);
  }

  #reply(task: Question, generation: number, refusal: string | undefined): void {
    const isSame = this.#around.without === "generation";
    const told = (process: SimulatedProcess) => {
      const question = process.#question;
      if (question?.task === task && (isSame || question.generation === generation))
        process.#answered(question, refusal);
    };
    this.#around.send("all", told, this);
  }

  #answered(question: object, failure: string | undefined): void {
    if (this.#question !== question) return;
    const { task } = this.#question;
    this.#question = undefined;
    this.hear(failure === undefined ? { is: "done", task } : { is: "failed", task, reason: failure });
  }
}

/** So that whatever is heard from others is newer than what is known. */
function unnumbered(state: State, { is }: Message): State {
  if (is !== "told" && is !== "offered" && is !== "heard") return state;
  return { ...state, placement: { ...state.placement, generation: -1 } };
}
