import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../bus/simulation/random.ts";
import type { Fault } from "./faults.ts";

/**
 * The faults of a run, in any order.
 * @param named `kill,kill,stop`, or `kill:20,stop:5` for so many of each
 * @param times how many in all, each as often as it is named more than others; just those that are named if left out
 */
export function dealFaults(named: string, { integer }: Random, times?: number): string[] {
  const names = named.split(",").flatMap((each) => {
    const [name = "", count = "1"] = each.split(":");
    return Array<string>(Number(count)).fill(name);
  });
  const dealt: string[] = [];
  for (let n = 0; n < (times ?? names.length); n++) dealt.splice(integer(0, n), 0, names[n % names.length] ?? "");
  return dealt;
}

/** What befell a shop, and how often. */
export type Harm = Map<string, number>;

/**
 * Does one after the other what was dealt, each after a moment, and notes it.
 * @param tell told of each
 * @throws Error when nobody knows a fault by its name
 */
export async function harmInTurn(
  dealt: readonly string[],
  faults: Readonly<Record<string, Fault>>,
  random: Random,
  done: Harm,
  tell: (what: string) => void = () => {},
): Promise<void> {
  for (const name of dealt) {
    await sleep(random.integer(50, 1_000));
    const fault = faults[name];
    if (fault === undefined) throw new Error(`--faults: expected some of ${Object.keys(faults)}`);
    const what = await fault();
    tell(what);
    done.set(what, (done.get(what) ?? 0) + 1);
  }
}

export function describeHarm(done: Harm): string {
  const total = [...done.values()].reduce((sum, times) => sum + times, 0);
  const each = Array.from(done, ([what, times]) => `${what} ${times}`).sort();
  return `${total} faults (${each.join(", ")})`;
}
