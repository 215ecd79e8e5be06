import { reachableUrl } from "../../base/origin.ts";
import { isProblem } from "../../base/problem.ts";
import { Refusal } from "../../base/refusal.ts";
import { createAddresses } from "../../call/addresses.ts";
import { deadLetters, deadLettersOf } from "../../call/dead-letters.ts";
import { createHttpCallable, type HttpCallable } from "../../call/http-client.ts";
import { createUndiciTransport } from "../../call/transports/undici.ts";
import type { CallContext } from "../../contract/context.ts";
import { type ClientOf, createClient } from "../../contract/contract.ts";
import { users } from "../../modules/users/contract.ts";
import { DEMO_ADMIN } from "../../modules/users/index.ts";
import { ownContext } from "../../runtime/compose.ts";
import { type Config, ConfigError } from "../../runtime/config.ts";

type Client = ClientOf<typeof deadLetters>;
interface Found {
  readonly letters: readonly DeadLetter[];
  readonly missing: readonly string[];
}

type DeadLetter = Awaited<ReturnType<Client["listDeadLetters"]>>["data"][number];

/**
 * Lists, replays or discards the dead letters of a system that runs, as an admin, through its gateway.
 * @param words what to do: nothing, which lists; or `replay` or `discard`, and an id
 * @returns what came of it, for the operator to read
 * @throws ConfigError when the words or the settings do not do; Refusal when the gateway cannot be reached; Problem
 *   when it refuses
 */
export async function runDeadLetters(config: Config, words: readonly string[]): Promise<string> {
  const command = parse(words);
  const contract = { ...users, name: "gateway" };
  const place = createAddresses([urlOf(config)]);
  const gateway = createHttpCallable(contract, place, createUndiciTransport, { takesBatches: false });
  try {
    return await carryOut(command, config, gateway);
  } catch (error) {
    if (!isProblem(error, "dependency-unavailable")) throw error;
    throw new Refusal(`${error.message} It was asked at ${urlOf(config)}; see --gateway-url.`);
  } finally {
    await gateway.close();
  }
}

async function carryOut(command: Command, config: Config, gateway: HttpCallable): Promise<string> {
  const letters = createClient(deadLetters, gateway.beside(deadLettersOf("gateway")));
  const token = config.ADMIN_TOKEN ?? (await signIn(createClient(users, gateway), config));
  const ctx = () => ({ ...ownContext(config.CALL_TIMEOUT), token });
  switch (command.action) {
    case "list":
      return describe(await listAll(letters, ctx));
    case "replay":
      await letters.replayDeadLetter({ id: command.id }, ctx());
      return `${command.id} was applied.`;
    case "discard":
      await letters.discardDeadLetter({ id: command.id }, ctx());
      return `${command.id} was discarded.`;
  }
}

type Command = { readonly action: "list" } | { readonly action: "replay" | "discard"; readonly id: string };

function parse(words: readonly string[]): Command {
  const [action, id, ...rest] = words;
  if (action === undefined) return { action: "list" };
  if ((action === "replay" || action === "discard") && id !== undefined && rest.length === 0) return { action, id };
  throw new ConfigError(
    `dead-letters ${words.join(" ")}: expected nothing after it, which lists, replay ID or discard ID`,
  );
}

function urlOf({ GATEWAY_URL, HOST, PORT }: Config): string {
  return GATEWAY_URL ?? reachableUrl(HOST, PORT);
}

async function signIn(accounts: ClientOf<typeof users>, config: Config): Promise<string> {
  const admin = config.admin ?? (config.production ? undefined : DEMO_ADMIN);
  if (admin === undefined) throw new ConfigError("ADMIN_TOKEN: expected it, or ADMIN_EMAIL and ADMIN_PASSWORD");
  try {
    return (await accounts.loginUser(admin, ownContext(config.CALL_TIMEOUT))).token;
  } catch (error) {
    if (!isProblem(error) || error.code !== "invalid-credentials") throw error;
    throw new ConfigError(
      `${admin.email} cannot sign in: expected ADMIN_TOKEN, or ADMIN_EMAIL and ADMIN_PASSWORD, of an admin of that shop`,
    );
  }
}

/** All letters of the modules that answer, and the names of those that do not. */
async function listAll(letters: Client, ctx: () => CallContext): Promise<Found> {
  const found: DeadLetter[] = [];
  const missing = new Set<string>();
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: Awaited<ReturnType<Client["listDeadLetters"]>> = await letters.listDeadLetters(
      cursor === undefined ? { limit: 100 } : { limit: 100, cursor },
      ctx(),
    );
    found.push(...page.data);
    for (const module of page.missing ?? []) missing.add(module);
    cursor = page.next_cursor;
  }
  return { letters: found, missing: [...missing] };
}

function describe({ letters, missing }: Found): string {
  const absent = missing.map((module) => `${module} does not answer: its dead letters are not listed.`);
  if (letters.length === 0)
    return [...absent, absent.length === 0 ? "There are no dead letters." : "The others have none."].join("\n");
  return letters
    .map(({ id, module, event, error, attempts, failed_at }) =>
      [
        `${id}  ${module} could not apply ${event.type} of ${event.subject}`,
        `  ${attempts} tries, last ${failed_at}: ${error}`,
      ].join("\n"),
    )
    .concat(absent)
    .join("\n");
}
