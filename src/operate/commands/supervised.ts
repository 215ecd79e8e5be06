import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** How long to wait before a process that ended is started again: at first, and at most. */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** Who has run for as long as this did not end for having been started. */
const STEADY_MS = 10_000;

export interface SupervisedOptions {
  /** As the person who looks on knows it. */
  readonly name: string;
  start(): ChildProcess;
  /** Resolves when the process that was just started does its work. */
  whenReady(child: ChildProcess): Promise<unknown>;
  /** Asks it to end. */
  end(child: ChildProcess): void;
  /** Given one line for each time that it has ended. */
  tell(line: string): void;
}

/** A process that is kept running: whenever it ends it is started again, the later the more often it does, unless it is held down. */
export class Supervised {
  /** Resolves when it was ready for the first time. */
  readonly ready: Promise<void>;
  /** Resolves what is to be told when it has ended by itself before it was ever ready: trying again would not help. */
  readonly failed: Promise<string>;
  readonly #options: SupervisedOptions;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #child: ChildProcess | undefined;
  #held: PromiseWithResolvers<void> | undefined;

  constructor(options: SupervisedOptions) {
    this.#options = options;
    const ready = Promise.withResolvers<void>();
    const failed = Promise.withResolvers<string>();
    this.ready = ready.promise;
    this.failed = failed.promise;
    this.#done = this.#keepRunning(ready.resolve, failed.resolve);
  }

  get name(): string {
    return this.#options.name;
  }

  get child(): ChildProcess | undefined {
    return this.#child;
  }

  /** Kills it, and does not start it again. @returns the way to have it started again */
  holdDown(): () => void {
    const held = Promise.withResolvers<void>();
    this.#held = held;
    this.#child?.kill("SIGKILL");
    return () => {
      this.#held = undefined;
      held.resolve();
    };
  }

  /** Ends it, by force after this time. Also between two starts. */
  async stop(withinMs: number): Promise<void> {
    this.#closing.abort();
    this.#held?.resolve();
    const child = this.#child;
    if (child !== undefined) this.#options.end(child);
    const timer = setTimeout(() => child?.kill("SIGKILL"), withinMs);
    await this.#done;
    clearTimeout(timer);
  }

  async #keepRunning(ready: () => void, failed: (fault: string) => void): Promise<void> {
    const { name, tell } = this.#options;
    const { signal } = this.#closing;
    let wasReady = false;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      const startedAt = performance.now();
      const how = await this.#runOnce(() => {
        wasReady = true;
        ready();
      });
      if (signal.aborted) return;
      if (!wasReady && !how.killed) return failed(`${name} ${how.told}`);
      const isHeld = this.#held !== undefined;
      if (isHeld || performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
      const when = pauseMs > 1_000 ? ` in ${Math.round(pauseMs / 1_000)} s` : "";
      tell(`${name} ${how.told}; ${isHeld ? "it is held down for now" : `it is started again${when}`}.`);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      await this.#held?.promise;
    }
  }

  /** Resolves when it has ended and all it printed has been read, or when it cannot run. */
  async #runOnce(ready: () => void): Promise<{ told: string; killed: boolean }> {
    const child = this.#options.start();
    this.#child = child;
    const ended = new Promise<{ told: string; killed: boolean }>((resolve) => {
      child.once("error", (error) => resolve({ told: `cannot run: ${error.message}`, killed: false }));
      child.once("close", (code, signal) =>
        resolve({
          told: signal === null ? `has ended with status ${code}` : `was ended by ${signal}`,
          killed: signal !== null,
        }),
      );
    });
    this.#options.whenReady(child).then(ready, () => undefined);
    const how = await ended;
    this.#child = undefined;
    return how;
  }
}
