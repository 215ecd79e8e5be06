import { ENVIRONMENT_PROBLEMS, isProblem, Problem } from "../base/problem.ts";
import { deadLetters, deadLettersOf } from "../call/dead-letters.ts";
import { createService, type ServiceOptions } from "../call/service.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import { type Callable, type ClientOf, createClient, type HandlersOf } from "../contract/contract.ts";
import { cursorOf, pageOf } from "../contract/schemas.ts";

type Client = ClientOf<typeof deadLetters>;
type Done = Record<string, never>;

/** What is kept of the time of a call, for the answer to who asked. */
const MARGIN_MS = 500;

/**
 * The operations on dead letters as one callable for all modules.
 * @param callables each module's own, under its name
 */
export function gatherDeadLetters(callables: readonly Callable[], options: ServiceOptions): Callable {
  const modules = callables.map((callable) => ({
    name: callable.contract.name,
    client: createClient(deadLetters, callable),
  }));
  // Its work is the gateway's own: so it is called in traces.
  return { ...createService(deadLettersOf("gateway"), createHandlers(modules), options), contract: deadLetters };
}

/** One of those that are asked. */
interface Asked {
  readonly name: string;
  readonly client: Client;
}

/** Who cannot answer now leaves time to tell what the others have. */
function sooner(ctx: CallContext): CallContext {
  return { ...ctx, deadline: ctx.deadline - Math.min(MARGIN_MS, remainingMs(ctx) / 4) };
}

/**
 * The names of the modules that could not answer.
 * @throws Problem what the first of them says, where none could, or where it is not the environment that is at fault
 */
function missingOf(modules: readonly Asked[], answers: readonly PromiseSettledResult<unknown>[]): string[] {
  const failures = modules.flatMap(({ name }, index) => {
    const answer = answers[index];
    return answer?.status === "rejected" ? [{ name, reason: answer.reason as unknown }] : [];
  });
  const isPassing = ({ reason }: { reason: unknown }) => isProblem(reason) && ENVIRONMENT_PROBLEMS.has(reason.code);
  const final = failures.length === modules.length ? failures[0] : failures.find((failure) => !isPassing(failure));
  if (final !== undefined) throw final.reason;
  return failures.map(({ name }) => name);
}

function createHandlers(modules: readonly Asked[]): HandlersOf<typeof deadLetters> {
  return {
    async listDeadLetters({ limit, cursor }, ctx) {
      const query = cursor === undefined ? { limit } : { limit, cursor: cursorOf(cursor) };
      const answers = await Promise.allSettled(modules.map(({ client }) => client.listDeadLetters(query, sooner(ctx))));
      const missing = missingOf(modules, answers);
      const pages = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
      const newestFirst = pages.flatMap(({ data }) => data).sort((a, b) => (a.id < b.id ? 1 : -1));
      const merged = { ...pageOf(newestFirst, limit), ...(missing.length === 0 ? {} : { missing }) };
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
async function askAll(modules: readonly Asked[], ask: (module: Client) => Promise<Done>): Promise<Done> {
  const answers = await Promise.allSettled(modules.map(({ client }) => ask(client)));
  if (answers.some(({ status }) => status === "fulfilled")) return {};
  const failures = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  throw (
    failures.find((error) => deadLetters.isProblem(error, "replay-failed")) ??
    failures.find((error) => !isProblem(error, "not-found")) ??
    new Problem("not-found", "There is no such dead letter.")
  );
}
