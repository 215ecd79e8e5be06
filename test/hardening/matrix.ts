import { Binding } from "../../src/call/binding.ts";
import { deadLetters } from "../../src/call/dead-letters.ts";
import type { Contract, Operation } from "../../src/contract/contract.ts";
import { type ModuleName, modules, publicContracts } from "../../src/runtime/modules.ts";
import { forgeries } from "../parity/tokens.ts";
import { type Answer, type Api, createApi } from "../support/api.ts";
import { sampleInput } from "./sample.ts";
import type { Target } from "./target.ts";

/** In this order: whoever may do least comes first, so that what one changes is still there for those before. */
export const CALLERS = ["anonymous", "expired", "forged", "customer B", "customer A", "admin"] as const;
export type Caller = (typeof CALLERS)[number];

/** A call of the matrix and what came of it. */
export interface Attempt {
  readonly door: string;
  /** Method and path template, by which it is told in the table. */
  readonly operation: string;
  readonly access: Operation["access"];
  readonly caller: Caller;
  /** It names something that is customer A's. */
  readonly isOfA: boolean;
  readonly answer: Answer;
  /** The answer's body says something of customer A. */
  readonly tellsOfA: boolean;
}

/**
 * Calls every operation of every contract, under each of its paths, as everyone, with everything that it could be about:
 * through the gateway, and at the door of its own module where that has one.
 * @throws Error for an operation of which no call is let through to its handler, because no valid input can be made
 */
export async function runMatrix(target: Target): Promise<readonly Attempt[]> {
  const attempts: Attempt[] = [];
  for (const { name, url } of target.doors) {
    const api = createApi(url);
    try {
      for (const [title, operation] of operationsAt(name)) {
        const tried = await tryOperation(name, title, operation, api, target);
        assertReached(title, operation, tried);
        attempts.push(...tried);
      }
    } finally {
      await api.close();
    }
  }
  return attempts;
}

/** What an attempt must not be answered with, if it is; else undefined. */
export function faultOf({ access, caller, isOfA, answer, tellsOfA }: Attempt): string | undefined {
  const { status } = answer;
  const isRefused = (wanted: number) => (status === wanted ? undefined : `${status} instead of ${wanted}`);
  // What needs no token passes over one that is no good.
  if (["anonymous", "expired", "forged"].includes(caller) && access !== "public") return isRefused(401);
  if (caller.startsWith("customer") && access === "admin") return isRefused(403);
  if (caller === "customer B" && access === "user" && isOfA && status < 400) return `${status} on what is customer A's`;
  if (["anonymous", "expired", "forged", "customer B"].includes(caller) && status < 400 && tellsOfA)
    return `${status} that tells of customer A`;
  return undefined;
}

function operationsAt(door: string): [string, Operation][] {
  const contracts: readonly Contract[] =
    door === "gateway" ? publicContracts : [modules[door as ModuleName].contract, deadLetters];
  return contracts
    .flatMap(({ operations }) => Object.values(operations))
    .flatMap((operation) =>
      [operation.path, ...(operation.aliases ?? [])].map((path): [string, Operation] => [
        `${operation.method} ${path}`,
        { ...operation, path },
      ]),
    );
}

async function tryOperation(
  door: string,
  title: string,
  operation: Operation,
  api: Api,
  target: Target,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  const binding = Binding.of(operation);
  for (const caller of CALLERS) {
    for (const { known, isOfA } of subjects(operation, target)) {
      const { path, query, headers, body } = binding.write(sampleInput(title, operation, known));
      const answer = await api.call({
        method: operation.method,
        path: query === "" ? path : `${path}?${query}`,
        token: tokenOf(caller, target),
        headers,
        body,
      });
      const tellsOfA = [target.alice.id, target.order, "alice@"].some((trace) =>
        JSON.stringify(answer.body ?? "").includes(trace),
      );
      attempts.push({ door, operation: title, access: operation.access, caller, isOfA, answer, tellsOfA });
    }
  }
  return attempts;
}

/** What an operation could be about: each thing there is, if it names one, and A, if it names a user. */
function subjects({ input }: Operation, { alice, order, product }: Target) {
  const about = "id" in input.shape ? [alice.id, order, product] : [undefined];
  const whose = "user_id" in input.shape ? [undefined, alice.id] : [undefined];
  return about.flatMap((id) =>
    whose.map((userId) => ({
      known: {
        product_id: product,
        ...(id === undefined ? {} : { id }),
        ...(userId === undefined ? {} : { user_id: userId }),
      },
      isOfA: id === alice.id || id === order || userId === alice.id,
    })),
  );
}

function tokenOf(caller: Caller, { admin, alice, bob, sign }: Target): string | undefined {
  const past = Math.floor(Date.now() / 1_000) - 60;
  if (caller === "anonymous") return undefined;
  if (caller === "expired") return sign({ sub: admin.id, role: "admin", exp: past });
  if (caller === "forged") return forgeries(admin.token)["key-of-ones-own"];
  return { "customer A": alice, "customer B": bob, admin }[caller].token;
}

/** Somebody who may call it got as far as its handler: it was not the input that was refused. */
function assertReached(title: string, { access }: Operation, attempts: readonly Attempt[]): void {
  const entitled = attempts.filter(
    ({ caller }) => caller === "admin" || (access !== "admin" && caller === "customer A"),
  );
  const refused = ({ answer: { status, body } }: Attempt) =>
    status === 400 || status === 415 || (body as { type?: string } | undefined)?.type === "/problems/validation-failed";
  if (!entitled.every(refused)) return;
  const shown = JSON.stringify(entitled[0]?.answer.body);
  throw new Error(`${title}: no valid input was made, so that nothing is known of who may call it: ${shown}`);
}
