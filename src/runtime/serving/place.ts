import { Problem } from "../../base/problem.ts";
import { deadLettersOf } from "../../call/dead-letters.ts";
import type { HttpCallable } from "../../call/http-client.ts";
import { Switch } from "../../call/switch.ts";
import { unreachable } from "../../call/transport.ts";
import type { Callable, Contract } from "../../contract/contract.ts";
import { type ModuleName, modules } from "../modules.ts";
import type { ServedModule } from "./served-module.ts";

/** Told when the gate of a module closes, with who waits at it, and without when it opens. */
export type OnGate = (name: ModuleName, gate: Switch["gate"]) => void;

type Refusal = (contract: Contract) => Problem;

const NOWHERE: Refusal = ({ name }) =>
  new Problem("dependency-unavailable", `The ${name} service is served by no process that is known here.`, {
    retryAfterSeconds: 1,
  });

const DEAD: Refusal = ({ name }) => unreachable(name);

/** Where a module is now, as this process knows it: here, elsewhere, or on its way. What callers hold of it leads there. */
export class Place {
  readonly name: ModuleName;
  readonly service: Switch;
  /** The operations on its dead letters. */
  readonly letters: Switch;
  readonly #onGate: OnGate;
  #here: ServedModule | undefined;
  #there: HttpCallable | undefined;
  #isClosed = false;
  #isNowhere = true;
  #isDown = false;

  constructor(name: ModuleName, onGate: OnGate) {
    this.name = name;
    this.#onGate = onGate;
    this.service = new Switch(refusing(modules[name].contract, NOWHERE));
    this.letters = new Switch(refusing(deadLettersOf(name), NOWHERE));
  }

  /** The module, while it lives in this process. */
  get here(): ServedModule | undefined {
    return this.#here;
  }

  /** The client of the process that it lives in, while that is another. */
  get there(): HttpCallable | undefined {
    return this.#there;
  }

  /** Whether nobody is known who serves it. */
  get isNowhere(): boolean {
    return this.#isNowhere;
  }

  /** Whether it lives in this process, be it that it is down. */
  get isHere(): boolean {
    return this.#here !== undefined || this.#isDown;
  }

  /** Whether it lives in this process, and has ended on purpose as by a crash. */
  get isDown(): boolean {
    return this.#isDown;
  }

  /** It moves: whoever calls waits until it is known where it is. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.service.close();
    this.letters.close();
    this.#onGate(this.name, this.service.gate);
  }

  /** It lives here from now on. */
  goHere(module: ServedModule): void {
    this.#here = module;
    this.#there = undefined;
    this.#lead(module.service, module.letters);
  }

  /** It lives elsewhere from now on. */
  goThere(client: HttpCallable): void {
    if (this.#there === client && !this.#isClosed) return;
    this.#here = undefined;
    this.#there = client;
    this.#lead(client, client.beside(this.letters.contract));
  }

  /** It has ended here, and is nowhere yet; whoever calls goes on to wait, if the gate is closed. */
  leave(): void {
    this.#here = undefined;
  }

  /** Nobody is known who serves it: whoever calls is told so. */
  goNowhere(): void {
    this.#refuse(NOWHERE);
    this.#isNowhere = true;
  }

  /** It lives here, and ends as by a crash: whoever calls is told what they are of a process that is dead. */
  goDown(): void {
    this.#refuse(DEAD);
    this.#isDown = true;
  }

  #refuse(refusal: Refusal): void {
    this.#here = undefined;
    this.#there = undefined;
    this.#lead(refusing(this.service.contract, refusal), refusing(this.letters.contract, refusal));
  }

  #lead(service: Callable, letters: Callable): void {
    const wasClosed = this.#isClosed;
    this.#isClosed = false;
    this.#isNowhere = false;
    this.#isDown = false;
    this.service.lead(service);
    this.letters.lead(letters);
    if (wasClosed) this.#onGate(this.name, undefined);
  }
}

function refusing(contract: Contract, refusal: Refusal): Callable {
  return { contract, call: () => Promise.reject(refusal(contract)) };
}
