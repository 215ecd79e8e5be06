import { reasonOf } from "../../refusal.ts";

/** Whether the server does what units of work ask of it. */
export class Health {
  #fault: string | undefined;

  /** Why it does not, undefined while it does. */
  get fault(): string | undefined {
    return this.#fault;
  }

  failed(error: unknown): void {
    this.#fault = reasonOf(error);
  }

  worked(): void {
    this.#fault = undefined;
  }
}
