import { type Placement, UNWRITTEN } from "../../../src/runtime/move/placement.ts";

/** Without one of the two fences, to see that it is needed. */
export type Fence = "lock" | "generation";

/** DATA_DIR, as far as one module is concerned, which outlives every process. */
export class Disk {
  record: Placement = UNWRITTEN;
  /** Committed and synced, in this order. */
  rows: readonly number[] = [];
  readonly #without: Fence | undefined;
  #holder: object | undefined;
  #opener: object | undefined;

  constructor(without: Fence | undefined) {
    this.#without = without;
  }

  takeLock(process: object): boolean {
    if (this.#without !== "lock" && this.#holder !== undefined && this.#holder !== process) return false;
    this.#holder = process;
    return true;
  }

  freeLock(process: object): void {
    if (this.#holder === process) this.#holder = undefined;
  }

  /** @throws Error when somebody writes who may not, or what is older */
  write(process: object, placement: Placement): void {
    if (this.#without !== "lock" && this.#holder !== process)
      throw new Error(`${placement.owner} is named by a process that has no lock`);
    if (this.#without !== "generation" && placement.generation <= this.record.generation) {
      throw new Error(`generation ${placement.generation} is written after ${this.record.generation}`);
    }
    this.record = placement;
  }

  /** @throws Error when another has it open */
  open(process: object): void {
    if (this.#opener !== undefined) throw new Error("two have the store open");
    this.#opener = process;
  }

  close(process: object): void {
    if (this.#opener === process) this.#opener = undefined;
  }

  /** The system does it, at the end of a process. */
  ended(process: object): void {
    this.close(process);
    this.freeLock(process);
  }

  isOpenBy(process: object): boolean {
    return this.#opener === process;
  }
}
