import { type Callable, type ClientOf, createClient, type HandlersOf } from "../contract/contract.ts";
import { deadLetters } from "../contract/dead-letters.ts";
import { isProblem, Problem } from "../contract/problem.ts";
import { cursorOf, pageOf } from "../contract/schemas.ts";
import { createService, type ServiceOptions } from "../contract/service.ts";

type Client = ClientOf<typeof deadLetters>;
type Done = Record<string, never>;

/**
 * The operations on dead letters, which every module serves for its own, as one for all modules.
 * @returns what the gateway serves: the modules without these operations, and the one that has them
 */
export function gatherDeadLetters(callables: readonly Callable[], options: ServiceOptions): Callable[] {
  const clients = callables.map((callable) => createClient(deadLetters, callable));
  // Its work is the gateway's own: so it is called in traces.
  const gathered = createService({ ...deadLetters, name: "gateway" }, createHandlers(clients), options);
  return [...callables.map(withoutDeadLetters), { ...gathered, contract: deadLetters }];
}

function withoutDeadLetters({ contract, call }: Callable): Callable {
  const operations = Object.entries(contract.operations).filter(([name]) => !(name in deadLetters.operations));
  return { contract: { ...contract, operations: Object.fromEntries(operations) }, call };
}

function createHandlers(modules: readonly Client[]): HandlersOf<typeof deadLetters> {
  return {
    async listDeadLetters({ limit, cursor }, ctx) {
      const query = cursor === undefined ? { limit } : { limit, cursor: cursorOf(cursor) };
      const pages = await Promise.all(modules.map((module) => module.listDeadLetters(query, ctx)));
      const newestFirst = pages.flatMap(({ data }) => data).sort((a, b) => (a.id < b.id ? 1 : -1));
      const merged = pageOf(newestFirst, limit);
      const last = merged.data.at(-1);
      const isMore = last !== undefined && pages.some(({ next_cursor }) => next_cursor !== null);
      return isMore ? { ...merged, next_cursor: cursorOf(last.id) } : merged;
    },
    replayDeadLetter: ({ id }, ctx) => askAll(modules, (module) => module.replayDeadLetter({ id }, ctx)),
    discardDeadLetter: ({ id }, ctx) => askAll(modules, (module) => module.discardDeadLetter({ id }, ctx)),
  };
}

/**
 * Asks all modules, of which one at most has the letter, for ids are unique.
 * @throws Problem not-found when all say so; else what one that failed says, for it may be the one that has it
 */
async function askAll(modules: readonly Client[], ask: (module: Client) => Promise<Done>): Promise<Done> {
  const answers = await Promise.allSettled(modules.map(ask));
  if (answers.some(({ status }) => status === "fulfilled")) return {};
  const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  throw (
    failures.find((error) => isProblem(error, "replay-failed")) ??
    failures.find((error) => !isProblem(error, "not-found")) ??
    new Problem("not-found", "There is no such dead letter.")
  );
}
