import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../base/problem.ts";
import type { Contract } from "../contract/contract.ts";

/** A fault that the kit injects at the callee, so that every topology fails alike. */
export type Fault =
  | { readonly kind: "unavailable" }
  | { readonly kind: "delay"; readonly delayMs: number }
  | { readonly kind: "poison" };

/**
 * Reads `users.getUser=unavailable,products.getProduct=delay:3000,products:order.created=poison`.
 * @returns faults by `<module>.<operation>`; poison, which fails each try of applying a type of event, by
 *   `<subscriber>:<event type>`
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
  if (fault.kind === "delay") await sleep(fault.delayMs);
  return work();
}

/**
 * Has each call of this module take longer than it does by now.
 * @param faults of the module's service, which looks at them anew for each call
 * @returns the way to undo it
 */
export function slowDown(faults: Map<string, Fault>, { name, operations }: Contract, byMs: number): () => void {
  const before = new Map(faults);
  for (const operation of Object.keys(operations)) {
    const key = `${name}.${operation}`;
    const fault = before.get(key) ?? { kind: "delay", delayMs: 0 };
    if (fault.kind === "delay") faults.set(key, { kind: "delay", delayMs: fault.delayMs + byMs });
  }
  return () => {
    faults.clear();
    for (const [key, fault] of before) faults.set(key, fault);
  };
}

function parseFault(part: string): [string, Fault] {
  const poison = /^([a-z]+:[a-z]+\.[a-z-]+)=poison$/.exec(part);
  if (poison?.[1] !== undefined) return [poison[1], { kind: "poison" }];
  const match = /^([a-z]+\.[A-Za-z]+)=(?:(unavailable)|delay:(\d{1,6}))$/.exec(part);
  if (match?.[1] === undefined) {
    throw new Error(
      `"${part}" is not a fault such as users.getUser=unavailable, products.getProduct=delay:3000 or products:order.created=poison`,
    );
  }
  return [match[1], match[2] ? { kind: "unavailable" } : { kind: "delay", delayMs: Number(match[3]) }];
}
