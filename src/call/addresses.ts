import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { originOf } from "../base/origin.ts";

/** How long the addresses of a name count, in milliseconds: a replica that is added is called after this time at the latest. */
const FRESH_MS = 2_000;

/** Where a service is now: an origin (`http://host:port`) for each of its replicas. Never rejects. */
export type Addresses = () => Promise<readonly string[]>;

/** Resolves all addresses of a name, as the system knows it. */
export type LookUp = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

const askSystem: LookUp = (hostname) => lookup(hostname, { all: true, order: "verbatim" });

/**
 * The addresses behind these origins: each as it is, but a name that has several addresses in one family stands for each of them.
 * A name with one, or that nobody knows, stays: whoever connects finds out.
 */
export function createAddresses(origins: readonly string[], lookUp = askSystem, freshMs = FRESH_MS): Addresses {
  const all = origins.map((origin) => addressesOf(new URL(origin), lookUp, freshMs));
  return async () => {
    if (all.length === 1) return (await all[0]?.()) ?? [];
    return (await Promise.all(all.map((addresses) => addresses()))).flat();
  };
}

function addressesOf({ origin, hostname, port }: URL, lookUp: LookUp, freshMs: number): Addresses {
  if (isIP(hostname.replace(/^\[|\]$/g, "")) !== 0) return async () => [origin];
  let known: readonly string[] | undefined;
  let asking: Promise<readonly string[]> | undefined;
  let askAtMs = 0;

  async function ask(): Promise<readonly string[]> {
    const found = await lookUp(hostname).catch(() => []);
    const [v4 = [], v6 = []] = [4, 6].map((family) => found.filter((each) => each.family === family));
    const several = v6.length > v4.length ? v6 : v4;
    known = several.length < 2 ? [origin] : several.map(({ address }) => originOf(address, Number(port || 80))).sort();
    askAtMs = performance.now() + freshMs;
    asking = undefined;
    return known;
  }

  return async () => {
    if (known === undefined || performance.now() >= askAtMs) asking ??= ask();
    return known ?? asking ?? [origin]; // what is known is good enough until the answer comes
  };
}
