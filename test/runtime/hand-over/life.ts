import type { PlaceName } from "../../../src/runtime/move/placement.ts";
import type { Random } from "../../bus/simulation/random.ts";
import type { Disk, Fence } from "./disk.ts";
import type { Events } from "./events.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** What a process has to do with the others. */
export interface Surroundings {
  readonly events: Events;
  readonly random: Random;
  readonly disk: Disk;
  readonly without: Fence | undefined;
  /** Whether tasks may fail, and be slow. */
  isFaulty(): boolean;
  /** Called between any two steps of a process: may end it, or have it stand still. */
  between(process: SimulatedProcess): void;
  /** Ends a process, and starts it again after this time. */
  crash(process: SimulatedProcess, restartMs: number): void;
  /** A message to the process at a place, or to all: may be late, lost or doubled. */
  send(to: PlaceName | "all", what: (process: SimulatedProcess) => void, from: SimulatedProcess): void;
  /** The process that is at a place, if there is one. */
  at(place: PlaceName): SimulatedProcess | undefined;
}

/** From the start of a process to its end. */
export class Life {
  isAlive = true;
  wasStopped = false;
  readonly around: Surroundings;
  /** Told at its end: who has a connection to it. */
  readonly peers = new Set<() => void>();
  readonly #process: SimulatedProcess;
  #isStopped = false;
  /** What would have happened while it stood still. */
  #missed: (() => void)[] = [];

  constructor(process: SimulatedProcess, around: Surroundings) {
    this.#process = process;
    this.around = around;
  }

  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.around.disk.ended(this.#process);
    for (const tell of [...this.peers]) this.around.events.after(1, tell);
  }

  /** As SIGSTOP does: nothing is lost, not even the lock. */
  stop(): void {
    this.#isStopped = true;
    this.wasStopped = true;
  }

  goOn(): void {
    this.#isStopped = false;
    for (const run of this.#missed.splice(0)) this.later(0, run);
  }

  /** Something that this process does then, unless it has ended. */
  later(delayMs: number, run: () => void): void {
    this.around.events.after(Math.max(0, delayMs), () => this.now(run));
  }

  /** The same at once. Before each, the process may end or be stopped. */
  now(run: () => void): void {
    if (!this.isAlive) return;
    if (!this.#isStopped) this.around.between(this.#process);
    if (this.#isStopped) this.#missed.push(run);
    else if (this.isAlive) run();
  }

  /** How long a step takes, in milliseconds. */
  delay(): number {
    const { random, isFaulty } = this.around;
    if (isFaulty() && random.chance(0.02)) return random.integer(0, 4_000);
    return random.integer(0, 12);
  }

  fails(): boolean {
    return this.around.isFaulty() && this.around.random.chance(0.03);
  }
}
