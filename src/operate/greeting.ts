import { DEMO_USERS } from "../modules/users/index.ts";
import type { Config } from "../runtime/config.ts";
import { describeData } from "./data-places.ts";

/** What a process of ours that another one started tells it. */
export interface ReadyMessage {
  readonly ready: true;
  /** For the person who tries it out, from the process of the gateway. */
  readonly greeting: string | undefined;
}

/** Whether a message of a process that was started is this one. */
export function isReadyMessage(message: unknown): message is ReadyMessage {
  return typeof message === "object" && message !== null && "ready" in message;
}

/**
 * Tells a person who tries the shop out where to look at it, who can sign in, and where its data are.
 * @param gateway where the gateway listens
 */
export function greetingOf(config: Config, gateway: string): string {
  const reachable = gateway.replace(/\/\/(0\.0\.0\.0|\[::\])/, "//127.0.0.1");
  const places = describeData(config, config.SERVE);
  const data = places === undefined ? "" : `\n  ${places}\n`;
  return `\n  Quartet is at ${reachable}\n${config.SEED ? describeDemoUsers() : ""}${data}`;
}

function describeDemoUsers(): string {
  if (DEMO_USERS.length === 0) return "";
  const lines = DEMO_USERS.map(({ email, password }) => `    ${email.padEnd(22)}${password}\n`);
  return `\n  Demo accounts, unless there were others here before:\n\n${lines.join("")}`;
}
