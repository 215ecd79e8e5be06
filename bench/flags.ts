import { type TopologyName, topologies } from "./topologies.ts";

/** How long and how often to measure, which each benchmark can be told. */
export const ROUNDS = {
  rounds: { type: "string", default: "9" },
  seconds: { type: "string", default: "1.5" },
  warmup: { type: "string", default: "2" },
} as const;

/** How long each topology is under load first where they are compared: V8 takes thousands of calls to compile what is used often. */
export const UNTIL_WARM = { type: "string", default: "10" } as const;

/** @throws Error when one of the names is no topology's */
export function topologyNames(text: string): TopologyName[] {
  return text.split(",").map((name) => {
    if (Object.hasOwn(topologies, name)) return name as TopologyName;
    throw new Error(`${name} is none of the topologies ${Object.keys(topologies).join(",")}`);
  });
}

/** Numbers above 0, with commas between them. @throws Error when one is not */
export function positives(name: string, text: string): number[] {
  return text.split(",").map((each) => {
    const value = Number(each);
    if (!(value > 0)) throw new Error(`--${name}: expected a number above 0, not ${each}`);
    return value;
  });
}

/** @throws Error when it is none, or not above 0 */
export function positive(name: string, text: string): number {
  return positives(name, text)[0] ?? Number.NaN;
}
