import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "./problem.ts";

/** A fault that the kit injects at the callee, so that every topology fails alike. */
export type Fault = { readonly kind: "unavailable" } | { readonly kind: "delay"; readonly delayMs: number };

/**
 * Reads `users.getUser=unavailable,products.getProduct=delay:3000`.
 * @returns faults by `<module>.<operation>`
 * @throws Error that names the part which cannot be read
 */
export function parseFaults(text: string): ReadonlyMap<string, Fault> {
  return new Map(
    text
      .split(",")
      .filter((part) => part.trim() !== "")
      .map((part) => parseFault(part.trim())),
  );
}

/** Runs the work as the fault has it: not at all, or late. */
export async function injectFault(fault: Fault, work: () => unknown): Promise<unknown> {
  if (fault.kind === "unavailable") throw new Problem("dependency-unavailable", "This operation is not available.");
  await sleep(fault.delayMs);
  return work();
}

function parseFault(part: string): [string, Fault] {
  const match = /^([a-z]+\.[A-Za-z]+)=(?:(unavailable)|delay:(\d{1,6}))$/.exec(part);
  if (match?.[1] === undefined) {
    throw new Error(`"${part}" is not a fault such as users.getUser=unavailable or products.getProduct=delay:3000`);
  }
  return [match[1], match[2] ? { kind: "unavailable" } : { kind: "delay", delayMs: Number(match[3]) }];
}
