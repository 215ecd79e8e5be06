import type { Logger } from "pino";
import { Refusal } from "../base/refusal.ts";
import type { Subscription } from "../bus/subscription.ts";
import type { Contract, HandlersOf } from "../contract/contract.ts";
import type { Store } from "../store/store.ts";

/** What every module is given, beside the clients of the modules it may call. */
export interface ModuleDeps<Settings> {
  readonly store: Store;
  readonly settings: Settings;
  readonly logger: Logger;
  /** Milliseconds since 1970, by the machine's clock. */
  readonly now: () => number;
}

/** The replicas of a module, this one too, as they tell each other what they need not keep: what is told may be lost. */
export interface Peers {
  tell(message: unknown): void;
  /** For as long as the module lives. @param listener is given anything, also what no replica of this version tells */
  onTold(listener: (message: unknown) => void): void;
}

/** What a module is given as well that has something to tell its replicas. */
export interface Replicated {
  readonly peers: Peers;
}

/** What keeps a module from starting. */
export class StartRefusal extends Refusal {
  override readonly name = "StartRefusal";
}

/** What a module's factory answers: all that the runtime needs to serve it. */
export interface Module<C extends Contract> {
  readonly handlers: HandlersOf<C>;
  readonly subscriptions: readonly Subscription[];
  /** What must be there before the first call, such as a signing key. Calls may be waiting for it. @throws StartRefusal */
  start?(): Promise<void>;
  /**
   * What a process looks at that has just begun to have it, and that may take long: the first admin, passwords that all the world knows.
   * @param isServing whether there are callers, who are not to be held up
   * @throws StartRefusal
   */
  inspect?(isServing: boolean): Promise<void>;
  /** Writes the demo data, never over existing data. Resolves what it wrote, in words, or undefined. */
  seed?(): Promise<string | undefined>;
  /** Ends what waits (a long poll) so that the process can drain. */
  drain?(): void;
  /** Frees what the module holds beside its store. */
  stop?(): Promise<void>;
}
