import { setTimeout as sleep } from "node:timers/promises";
import { Refusal } from "../../base/refusal.ts";
import type { Bus } from "../../bus/bus.ts";
import { ownDatabase } from "../config.ts";
import { type ModuleName, modules } from "../modules.ts";
import { type HeldLock, lockFile, tryLockFile } from "../open-store.ts";
import { type ModuleSurroundings, openModule, type ServedModule } from "./served-module.ts";

/** How soon to try again what has to succeed. */
const AGAIN_MS = 500;

export interface HostSurroundings extends ModuleSurroundings {
  readonly bus: Bus;
}

/** What serves one module in this process, part by part: each can begin and end while the process runs. */
export class ModuleHost {
  readonly name: ModuleName;
  readonly #surroundings: HostSurroundings;
  #lock: HeldLock | undefined;
  #served: ServedModule | undefined;
  #isDrained = false;
  /** Told that the lock's file was removed, and another process has the lock now. */
  onLockLost = (): void => {};

  constructor(name: ModuleName, surroundings: HostSurroundings) {
    this.name = name;
    this.#surroundings = surroundings;
  }

  /** Whether its data are in a file, which one process serves at a time. */
  get isInFile(): boolean {
    return ownDatabase(this.#surroundings.config, this.name) === undefined;
  }

  /** The module, from `open` to `close`. */
  get served(): ServedModule | undefined {
    return this.#served;
  }

  /** Has the lock of the file, for which it waits a while. @throws Refusal when another process has it still after that */
  async lock(): Promise<void> {
    const { config, logger } = this.#surroundings;
    const warn = (line: string) => logger.warn(line);
    this.#lock ??= await lockFile(this.name, config, warn, () => this.onLockLost());
  }

  /** Tries to have the lock, without waiting. */
  tryLock(): boolean {
    this.#lock ??= tryLockFile(this.name, this.#surroundings.config, () => this.onLockLost());
    return this.#lock !== undefined;
  }

  freeLock(): void {
    this.#lock?.free();
    this.#lock = undefined;
  }

  /** Loads the code, so that opening is short. */
  async warmUp(): Promise<void> {
    await modules[this.name].load();
  }

  /** Opens the database and makes the module, which has not started yet. @throws Refusal when it cannot be */
  async open(): Promise<ServedModule> {
    this.#served = await openModule(this.name, this.#surroundings, this.#lock);
    this.#isDrained = false;
    return this.#served;
  }

  /** Opens it, and prepares it to serve; one that cannot be prepared is closed again. @throws as `open` does, and as that fails */
  async begin(): Promise<ServedModule> {
    const served = await this.open();
    try {
      await served.module.start?.();
    } catch (error) {
      await this.close();
      throw error;
    }
    void this.#inspect(served);
    return served;
  }

  /** Nobody waits for it. What it finds is told: it is no reason to end what was served before. */
  async #inspect({ module }: ServedModule): Promise<void> {
    try {
      await module.inspect?.(true);
    } catch (error) {
      const { logger } = this.#surroundings;
      if (error instanceof Refusal) logger.error(error.message);
      else logger.debug({ err: error, module: this.name }, "The module was not looked at to the end");
    }
  }

  /** Publishes its log, and applies what it hears. One that was drained is made anew before that, as often as that takes. */
  async join(): Promise<void> {
    while (this.#isDrained) {
      try {
        await this.close();
        await this.begin();
      } catch (error) {
        this.#surroundings.logger.error({ err: error, module: this.name }, "The module cannot be opened again yet");
        await sleep(AGAIN_MS);
      }
    }
    const { store, module, tidy } = this.#present();
    this.#surroundings.bus.join(store, module.subscriptions);
    tidy();
  }

  leaveBus(timeoutMs: number): Promise<void> {
    return this.#surroundings.bus.leave(this.name, timeoutMs);
  }

  /** Moves what is in the write-ahead log into the database. */
  async checkpoint(): Promise<void> {
    await this.#present().store.emptyLog();
  }

  /** Ends what waits. */
  drain(): void {
    this.#isDrained = true;
    this.#served?.module.drain?.();
  }

  /** Resolves when nothing is being served any more, false when something still is after so long. */
  finish(timeoutMs: number): Promise<boolean> {
    return this.#present().underWay.none(timeoutMs);
  }

  /** Commits what waits, and closes the database. The lock stays held. */
  async close(): Promise<void> {
    const served = this.#served;
    this.#served = undefined;
    await served?.close();
  }

  /** Ends it as by a crash, as far as that can be in a process that goes on: what is under way fails. The lock stays held. */
  async crash(): Promise<void> {
    const served = this.#served;
    this.#served = undefined;
    const left = this.leaveBus(0);
    await served?.store.crash();
    await left;
    await served?.close();
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    await this.close();
    this.freeLock();
  }

  #present(): ServedModule {
    if (this.#served === undefined) throw new Error(`${this.name} is not open here`);
    return this.#served;
  }
}
