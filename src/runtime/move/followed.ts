import type { ModuleName } from "../modules.ts";
import type { Places } from "../serving/places.ts";
import { newer, type Placement, UNWRITTEN } from "./placement.ts";
import { readPlacement } from "./placement-file.ts";
import { LOOK_MS } from "./protocol.ts";

/** Leads the callers of modules that this process could not serve itself to where those are, by what is written and what is told. */
export class Followed {
  readonly #places: Places;
  readonly #known: Map<ModuleName, Placement>;
  readonly #homes = new Map<ModuleName, readonly string[]>();

  /** @param names those modules */
  constructor(places: Places, names: readonly ModuleName[]) {
    this.#places = places;
    this.#known = new Map(names.map((name) => [name, UNWRITTEN]));
  }

  get names(): readonly ModuleName[] {
    return [...this.#known.keys()];
  }

  /** Says where a module is reached while it is home. @returns false for one that this process could serve */
  async home(name: ModuleName, urls: readonly string[]): Promise<boolean> {
    if (!this.#known.has(name)) return false;
    this.#homes.set(name, urls);
    await this.#lead(name);
    return true;
  }

  /** Somebody says where a module is, or it was read; what is older than what is known is passed over. */
  async heard(name: ModuleName, placement: Placement): Promise<void> {
    const known = this.#known.get(name);
    if (known === undefined || newer(placement, known) === known) return;
    this.#known.set(name, placement);
    await this.#lead(name);
  }

  /** What was told may be lost: now and then it is read. @returns the way to end that */
  keepLooking(dataDir: string, everyMs = LOOK_MS): () => void {
    if (this.#known.size === 0) return () => {};
    const timer = setInterval(() => {
      for (const name of this.names) void this.look(dataDir, name);
    }, everyMs).unref();
    return () => clearInterval(timer);
  }

  /** Reads where a module is, if that can be read here. */
  async look(dataDir: string, name: ModuleName): Promise<void> {
    try {
      await this.heard(name, readPlacement(dataDir, name));
    } catch {
      // Who would serve it says what is wrong with it.
    }
  }

  async #lead(name: ModuleName): Promise<void> {
    const placement = this.#known.get(name);
    const urls = placement?.url == null ? this.#homes.get(name) : [placement.url];
    if (urls === undefined) return;
    const client = await this.#places.connect(name, urls);
    if (this.#known.get(name) === placement) this.#places.of(name).goThere(client);
  }
}
