import { hash } from "node:crypto";
import { UNNAMED_DEPLOYMENT } from "../bus/bus.ts";
import type { Addresses } from "../call/addresses.ts";
import { askStatus } from "../health/module-probe.ts";

const ASK_TIMEOUT_MS = 1_000;

/** How long an answer counts: every process asks, and the answer hardly ever changes. */
const FRESH_MS = 3_000;

/** Names a deployment after the file of its users, which each of its processes can ask for; a copy has another. */
export function nameDeployment(seat: string): string {
  return hash("sha256", seat, "base64url").slice(0, 16);
}

/**
 * Learns the deployment's name from a process of users, whichever answers. The last answer counts while it is away, and now and then it is asked again: it
 * may have moved.
 */
export function learnDeployment(users: Addresses): () => string | undefined {
  let known: string | undefined;
  let isAsking = false;
  let askAtMs = 0;

  async function ask(): Promise<void> {
    isAsking = true;
    for (const url of await users()) {
      const status = await askStatus(url, ASK_TIMEOUT_MS);
      const told = status?.deployment ?? (status !== undefined && servesUsers(status) ? UNNAMED_DEPLOYMENT : undefined);
      if (told === undefined) continue;
      known = told;
      askAtMs = performance.now() + FRESH_MS;
      break;
    }
    isAsking = false;
  }

  return () => {
    if (!isAsking && performance.now() >= askAtMs) void ask();
    return known;
  };
}

/** Only older code names no deployment while it serves users; a process to which users has moved does not know it before it has opened them. */
function servesUsers({ modules }: NonNullable<Awaited<ReturnType<typeof askStatus>>>): boolean {
  return modules.some(({ name, status }) => name === "users" && status === "running");
}
