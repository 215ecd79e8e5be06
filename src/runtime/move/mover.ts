import type { Logger } from "pino";
import { Problem } from "../../base/problem.ts";
import type { ModuleName } from "../modules.ts";
import { begin, isMoving, step } from "./hand-over.ts";
import { HOME, type Placement } from "./placement.ts";
import {
  ABSENT_MS,
  type Absence,
  type Action,
  type Message,
  type Next,
  type Notice,
  type Seat,
  type State,
  type Task,
} from "./protocol.ts";

/** What a hand-over does to this process, and to others. */
export interface Hands {
  /** Does a task to its end; resolves the placement that it has read, if it was to read it. @throws why it has failed */
  work(task: Task): Promise<Placement | undefined>;
  /** Has callers wait from now on. */
  closeGate(): void;
  /** Lets callers go to where the module is. */
  turn(placement: Placement, here: boolean): Promise<void>;
  /** Makes this process ready to have the module. @throws why it cannot be */
  warmUp(): Promise<void>;
  /** Tells all processes of DATA_DIR where the module is. */
  announce(placement: Placement): void;
  /** Ends this process. */
  end(reason: string): void;
}

export interface MoverOptions {
  readonly name: ModuleName;
  readonly seat: Seat;
  readonly logger: Logger;
  readonly hands: Hands;
}

/** Undefined is yes, words are why not. */
type Reply = (refusal: string | undefined) => void;

const TASKS: ReadonlySet<string> = new Set<Task["do"]>([
  "offer",
  "checkpoint",
  "leave-bus",
  "hand-on-waits",
  "finish-calls",
  "close-store",
  "write-record",
  "free-lock",
  "tell",
  "prepare",
  "take-lock",
  "read-record",
  "open-store",
  "join-bus",
] satisfies readonly Task["do"][]);

/** Runs the hand-overs of one module that this process has, or could have: carries out what the machine says, and reports to it. */
export class Mover {
  readonly name: ModuleName;
  readonly seat: Seat;
  readonly #logger: Logger;
  readonly #hands: Hands;
  #state: State;
  #answer: Reply | undefined;
  readonly #replies = new Map<string, Reply[]>();
  #timer: NodeJS.Timeout | undefined;
  #actions = Promise.resolve();
  #isStopped = false;

  /** @param placement as it is written @param isHere whether the module has been opened here already, as that says or nothing does */
  constructor({ name, seat, logger, hands }: MoverOptions, placement: Placement, isHere: boolean) {
    this.name = name;
    this.seat = seat;
    this.#logger = logger;
    this.#hands = hands;
    this.#state = { is: "serving", placement };
    if (!isHere) this.#go(begin(seat, placement));
  }

  get state(): State {
    return this.#state;
  }

  send(message: Message): void {
    if (this.#isStopped) return;
    this.#go(step(this.seat, this.#state, message, performance.now()));
  }

  /** Gives the module to another place. Resolves when it is there. @throws Problem when it is not, and why */
  async give(to: Seat): Promise<void> {
    if (this.#answer !== undefined) throw refused("it is on its way already");
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    this.#answer = resolve;
    this.send({ is: "give", to });
    const refusal = await promise;
    if (refusal !== undefined) throw refused(refusal);
  }

  /** Asked by another process whether this one is ready, or told that it is named. Resolves when it is. @throws Problem why not */
  async ask(is: "offered" | "told", generation: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const key = keyOf(is === "offered" ? "offer" : "tell", generation);
    this.#replies.set(key, [...(this.#replies.get(key) ?? []), resolve]);
    this.send({ is, generation });
    const refusal = await promise;
    if (refusal !== undefined) throw refused(refusal);
  }

  /** No message leads to anything any more; what is under way ends. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#actions;
  }

  #go({ state, actions }: Next): void {
    const isLook = !isMoving(state) && !isMoving(this.#state); // once a second
    if (state.is !== this.#state.is && !isLook) this.#logger.debug(`${this.name}: ${this.#state.is}, then ${state.is}`);
    this.#tellOfAbsence(state);
    this.#state = state;
    for (const action of actions) this.#actions = this.#actions.then(() => this.#carryOut(action));
  }

  /** Callers of the module fail meanwhile, as after a start in a folder that was copied. */
  #tellOfAbsence(state: State): void {
    if (this.seat.place !== HOME) return; // a standby takes no place of a home that is not there
    const [before, now] = [absenceOf(this.#state), absenceOf(state)];
    const { owner } = state.placement;
    if (now !== undefined && before?.generation !== now.generation) {
      this.#logger.warn(
        `${this.name} belongs to ${owner}, as is written beside its database, and nobody there has it open: it is served here unless that comes within ${ABSENT_MS / 1_000} s`,
      );
    } else if (before !== undefined && now === undefined && owner !== HOME) {
      this.#logger.info(`${this.name}: ${owner} is there again`);
    }
  }

  /** Tasks report by themselves, and are not waited for. */
  async #carryOut(action: Action): Promise<void> {
    if (isTask(action)) void this.#work(action);
    else await this.#notice(action);
  }

  async #work(task: Task): Promise<void> {
    try {
      const startedAtMs = performance.now();
      const placement = await this.#hands.work(task);
      this.#logger.trace(`${this.name}: ${task.do} took ${Math.round(performance.now() - startedAtMs)} ms`);
      this.send(placement === undefined ? { is: "done", task: task.do } : { is: "record", placement });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (isMoving(this.#state)) this.#logger.debug({ err: error }, `${this.name}: ${task.do} has failed`);
      this.send({ is: "failed", task: task.do, reason });
    }
  }

  async #notice(notice: Notice): Promise<void> {
    switch (notice.do) {
      case "close-gate":
        return this.#hands.closeGate();
      case "turn":
        return this.#hands.turn(notice.placement, notice.here);
      case "warm-up":
        return void this.#warmUp(notice.generation);
      case "reply":
        return this.#reply(notice.to, notice.generation, notice.refusal);
      case "announce":
        return this.#hands.announce(notice.placement);
      case "answer":
        this.#answer?.(notice.refusal);
        this.#answer = undefined;
        return;
      case "wake":
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.send({ is: "woken" }), notice.afterMs).unref();
        return;
      case "end":
        return this.#hands.end(notice.reason);
    }
  }

  async #warmUp(generation: number): Promise<void> {
    const refusal = await this.#hands.warmUp().then(
      () => undefined,
      (error: Error) => error.message,
    );
    this.#reply("offer", generation, refusal);
  }

  #reply(to: "offer" | "tell", generation: number, refusal: string | undefined): void {
    const key = keyOf(to, generation);
    for (const reply of this.#replies.get(key) ?? []) reply(refusal);
    this.#replies.delete(key);
  }
}

function absenceOf(state: State): Absence | undefined {
  return state.is === "away" || state.is === "taking" ? state.absence : undefined;
}

function keyOf(to: "offer" | "tell", generation: number): string {
  return `${to} ${generation}`;
}

function isTask(action: Action): action is Task {
  return TASKS.has(action.do);
}

function refused(reason: string): Problem {
  return new Problem("dependency-unavailable", reason);
}
