import { createAddresses } from "../../call/addresses.ts";
import type { HttpCallable } from "../../call/http-client.ts";
import type { CreateTransport } from "../../call/transport.ts";
import type { Config } from "../config.ts";
import { type ModuleName, modules } from "../modules.ts";
import { type OnGate, Place } from "./place.ts";
import type { ServedModule } from "./served-module.ts";

/** Where all those modules are that this process serves or may call. */
export class Places {
  readonly #places: ReadonlyMap<ModuleName, Place>;
  readonly #library: Config["HTTP_CLIENT"];
  /** By module and addresses: one that comes back to where it was is called by the same connections. */
  readonly #clients = new Map<string, HttpCallable>();

  /** Told when a module begins to move from here or to come back, and when it is known again where it is. */
  onGate: OnGate = () => {};

  constructor(names: readonly ModuleName[], library: Config["HTTP_CLIENT"]) {
    const onGate: OnGate = (...told) => this.onGate(...told);
    this.#places = new Map(names.map((name) => [name, new Place(name, onGate)]));
    this.#library = library;
  }

  /** @throws Error when this process has no use for the module: its own modules do not call it */
  of(name: ModuleName): Place {
    const found = this.#places.get(name);
    if (found === undefined) throw new Error(`${name} is neither served here nor reachable`);
    return found;
  }

  get all(): readonly Place[] {
    return [...this.#places.values()];
  }

  /** The modules that live here now. */
  get served(): readonly ServedModule[] {
    return this.all.flatMap(({ here }) => here ?? []);
  }

  /** The clients of those that live elsewhere now, by name. */
  get remotes(): ReadonlyMap<ModuleName, HttpCallable> {
    return new Map(this.all.flatMap(({ name, there }) => (there === undefined ? [] : [[name, there] as const])));
  }

  /** The client of a module that is served there. */
  async connect(name: ModuleName, urls: readonly string[]): Promise<HttpCallable> {
    const key = `${name} at ${urls.join()}`;
    const { createHttpCallable } = await import("../../call/http-client.ts"); // not where all is in one process
    const transport = await loadTransport(this.#library);
    const client =
      this.#clients.get(key) ?? createHttpCallable(modules[name].contract, createAddresses(urls), transport);
    this.#clients.set(key, client);
    return client;
  }

  /** What still waits for a module elsewhere is answered before connections are cut. */
  drain(): void {
    for (const client of this.#clients.values()) client.drain();
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#clients.values(), (client) => client.close()));
  }
}

async function loadTransport(library: Config["HTTP_CLIENT"]): Promise<CreateTransport> {
  if (library === "undici") return (await import("../../call/transports/undici.ts")).createUndiciTransport;
  return (await import("../../call/transports/node-fetch.ts")).createNodeFetchTransport;
}
