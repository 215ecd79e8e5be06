import { z } from "zod";
import { Problem } from "../base/problem.ts";
import { type ControlOperations, taking } from "./operation.ts";

/** What can be done on purpose to a running shop, from its page, wherever there is a process that can do it. */
export const controlNames = ["move-orders", "kill-products", "hang-redis", "slow-users", "fill-orders"] as const;
export type ControlName = (typeof controlNames)[number];

/** The names of the operations: how all controls of a process are, and to do or undo one. */
export const LIST_CONTROLS = "controls";
export const USE_CONTROL = "control";

/** After this time what was done undoes itself, whatever has become of whoever did it. */
const UNDO_AFTER_MS = 30_000;

/** How soon an undoing that failed is tried again. */
const RETRY_MS = 1_000;

const NOT_HERE = "This process cannot do it now.";

/** How a control is. */
export const controlState = z.object({
  name: z.enum(controlNames),
  state: z.enum(["ready", "active", "unavailable"]),
  /** Why it is unavailable, in one sentence. */
  reason: z.string().optional(),
  /** Of an active one. */
  undo_in_ms: z.int().optional(),
});
export type ControlState = z.infer<typeof controlState>;

/** What is asked of one. */
export const controlAction = z.enum(["do", "undo"]);
export type ControlAction = z.infer<typeof controlAction>;

export const controlList = z.object({ controls: z.array(controlState) });

type Undo = () => unknown;

/** Something that a process can do to itself, or to others that it started. */
export interface Control {
  readonly name: ControlName;
  /** Why it cannot be done now, in one sentence; undefined where it can. */
  unavailable(): string | undefined;
  /** Does it. @returns the way to undo it, which is tried again where it fails */
  act(): Undo | Promise<Undo>;
  /** Of one that was done: whether it has come to an end by itself, as when what it was done to has gone. By default never. */
  isOver?(): boolean;
}

/** The controls of a process. */
export interface Controls {
  /** By which they are used over its control socket. */
  readonly operations: ControlOperations;
  /** Undoes what is done: belongs to the end of the process. */
  undoAll(): Promise<void>;
}

/**
 * Puts the timer and one after the other into controls: two who use one at the same time do it once.
 * @param find those that there are now: what a process can do may change with the modules that it serves
 * @param told in one line, of each that is done or undone
 */
export function createControls(
  find: () => readonly Control[],
  told: (line: string) => void,
  undoAfterMs: number = UNDO_AFTER_MS,
): Controls {
  const all = controlNames.map((name) => new UsedControl(name, { find, told, undoAfterMs }));
  const use = taking(
    z.strictObject({ name: z.enum(controlNames), action: controlAction }),
    async ({ name, action }): Promise<ControlState> => {
      const used = all.find((each) => each.name === name);
      await used?.[action]();
      return used?.state() ?? { name, state: "unavailable", reason: NOT_HERE };
    },
  );
  const list = taking(z.strictObject({}), () => ({
    controls: all.map((used) => used.state()).filter((state) => state !== undefined),
  }));
  return {
    operations: { [LIST_CONTROLS]: list, [USE_CONTROL]: use },
    undoAll: async () => void (await Promise.all(all.map((used) => used.undo()))),
  };
}

interface UsedControlOptions {
  readonly find: () => readonly Control[];
  readonly told: (line: string) => void;
  readonly undoAfterMs: number;
}

/** What was done, and how it ends. */
interface Done {
  readonly control: Control;
  readonly undo: Undo;
  readonly timer: NodeJS.Timeout;
  readonly undoAtMs: number;
}

class UsedControl {
  readonly name: ControlName;
  readonly #options: UsedControlOptions;
  #done: Done | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(name: ControlName, options: UsedControlOptions) {
    this.name = name;
    this.#options = options;
  }

  /** How it is; undefined where this process has none of the kind now. */
  state(): ControlState | undefined {
    const { name } = this;
    if (this.#isOver())
      void this.undo().catch(() => {}); // else its timer does
    else if (this.#done !== undefined) {
      const leftMs = Math.max(0, Math.ceil(this.#done.undoAtMs - performance.now()));
      return { name, state: "active", undo_in_ms: leftMs };
    }
    const control = this.#find();
    const reason = control?.unavailable();
    if (control === undefined) return undefined;
    return reason === undefined ? { name, state: "ready" } : { name, state: "unavailable", reason };
  }

  /** @throws Problem dependency-unavailable when it cannot be done */
  do(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isOver()) await this.#undo();
      if (this.#done !== undefined) return;
      const { told, undoAfterMs } = this.#options;
      const control = this.#find();
      if (control === undefined) throw new Problem("dependency-unavailable", NOT_HERE);
      const reason = control.unavailable();
      if (reason !== undefined) throw new Problem("dependency-unavailable", reason);
      this.#remember(control, await control.act(), undoAfterMs);
      told(`${this.name}: done on purpose; it undoes itself in ${Math.round(undoAfterMs / 1_000)} s`);
    });
  }

  undo(): Promise<void> {
    return this.#inTurn(() => this.#undo());
  }

  async #undo(): Promise<void> {
    if (this.#done === undefined) return;
    const { control, undo, timer } = this.#done;
    clearTimeout(timer);
    try {
      await undo();
      this.#done = undefined;
      this.#options.told(`${this.name}: undone`);
    } catch (error) {
      this.#remember(control, undo, RETRY_MS);
      throw error;
    }
  }

  #isOver(): boolean {
    return this.#done?.control.isOver?.() === true;
  }

  #find(): Control | undefined {
    return this.#options.find().find(({ name }) => name === this.name);
  }

  #remember(control: Control, undo: Undo, afterMs: number): void {
    const timer = setTimeout(() => this.undo().catch(() => {}), afterMs).unref();
    this.#done = { control, undo, timer, undoAtMs: performance.now() + afterMs };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}
