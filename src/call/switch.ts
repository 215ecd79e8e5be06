import type { CallContext } from "../contract/context.ts";
import type { Callable, Contract } from "../contract/contract.ts";
import { Binding } from "./binding.ts";
import { createGate, type Gate } from "./gate.ts";

type Input = Readonly<Record<string, unknown>>;

/**
 * What callers hold of a contract: leads to where it is served now, in this process or another, and while that changes to a gate. Who is
 * ready to wait, and does when the gate closes, goes on waiting wherever it leads after that, with the time that is left.
 */
export class Switch implements Callable {
  readonly contract: Contract;
  #target: Callable;
  #gate: Gate | undefined;
  /** The operations whose callers may be ready to wait. */
  readonly #patient: ReadonlySet<string>;
  readonly #waits = new Set<() => void>();

  constructor(target: Callable) {
    this.contract = target.contract;
    this.#target = target;
    const operations = Object.entries(target.contract.operations);
    this.#patient = new Set(operations.flatMap(([name, each]) => (Binding.of(each).mayWait ? [name] : [])));
  }

  /** While it is closed: who waits. */
  get gate(): Pick<Gate, "waiting" | "waited"> | undefined {
    return this.#gate;
  }

  call(name: string, input: Input, ctx: CallContext): Promise<Record<string, unknown>> {
    return this.#patient.has(name) ? this.#callPatiently(name, input, ctx) : this.#target.call(name, input, ctx);
  }

  /** From now on calls wait, each as long as its caller does. */
  close(): void {
    if (this.#gate !== undefined) return;
    this.#gate = createGate(this);
    this.#target = this.#gate;
    for (const moveOn of [...this.#waits]) moveOn(); // each begins to wait anew
  }

  /** From now on calls go there, those that have waited first. */
  lead(target: Callable): void {
    this.#target = target;
    this.#gate?.openTo(target);
    this.#gate = undefined;
  }

  #callPatiently(name: string, input: Input, ctx: CallContext): Promise<Record<string, unknown>> {
    const operation = this.contract.operations[name];
    const extraMs = operation === undefined ? 0 : Binding.of(operation).extraTimeMs(input);
    if (operation === undefined || extraMs === 0) return this.#target.call(name, input, ctx);
    const endMs = performance.now() + extraMs;
    const leftOf = () =>
      Binding.of(operation).withWait(input, Math.ceil(Math.max(0, endMs - performance.now()) / 1_000));
    return new Promise((resolve, reject) => {
      // What the place before answers after that is about a wait that it was made to end.
      const go = (left: Input) => {
        const answer = this.#target.call(name, left, ctx);
        const moveOn = () => {
          this.#waits.delete(moveOn);
          go(leftOf());
        };
        const settle =
          <T>(how: (outcome: T) => void) =>
          (outcome: T) => {
            if (this.#waits.delete(moveOn)) how(outcome);
          };
        this.#waits.add(moveOn);
        answer.then(settle(resolve), settle(reject));
      };
      go(input);
    });
  }
}
