import type Router from "@koa/router";
import type { Context } from "koa";
import { isProblem, Problem } from "../base/problem.ts";
import { traceOf } from "../base/trace.ts";
import { BATCH_PATH, type BatchedCall, type BatchLine, batchRequest, CLOCK_HEADER } from "../call/batch.ts";
import { BATCH_LIMIT_BYTES } from "../call/limits.ts";
import { processTimeMs, timeLeft } from "../call/peer-clock.ts";
import { problemBody, problemHeaders } from "../call/problem-body.ts";
import type { CallContext } from "../contract/context.ts";
import type { Callable, Operation } from "../contract/contract.ts";
import type { Progress } from "../contract/progress.ts";
import { callerOf, identify, type VerifyToken } from "../identity/access.ts";
import { readBytes } from "./body.ts";
import { hasGone } from "./caller-presence.ts";
import type { AnsweredRequest } from "./request-stats.ts";

/**
 * Mounts the route of batches before what a process serves of a module: each call has its own token, deadline, trace and answer.
 * @param verify whose token this is, as for every other route
 * @param tell told of each call as of the request that it would have been alone
 */
export function mountBatches(
  router: Router,
  callables: readonly Callable[],
  verify: VerifyToken,
  tell: (answered: AnsweredRequest) => void,
): void {
  const served = new Map(callables.flatMap(operationsOf));
  router.post(BATCH_PATH, async (koa) => {
    const bytes = await readBytes(koa.req, BATCH_LIMIT_BYTES);
    const { calls } = readBatch(bytes);
    koa.status = 200;
    koa.type = "application/x-ndjson";
    koa.respond = false; // lines go out as they come, and the last with the end, in one packet
    answerAll(calls, koa, { served, verify, tell });
  });
}

type FinalLine = Exclude<BatchLine, { begun: true }>;

function readBatch(bytes: Buffer) {
  try {
    return batchRequest.parse(JSON.parse(bytes.toString("utf8")));
  } catch (error) {
    throw new Problem("malformed-request", "This is not a batch of calls.", { cause: error });
  }
}

/** An operation, and who serves it. */
interface Served {
  readonly operation: Operation;
  readonly callable: Callable;
}

function operationsOf(callable: Callable): [name: string, Served][] {
  return Object.entries(callable.contract.operations).map(([name, operation]) => [name, { operation, callable }]);
}

interface BatchService {
  readonly served: ReadonlyMap<string, Served>;
  readonly verify: VerifyToken;
  readonly tell: (answered: AnsweredRequest) => void;
}

/**
 * Writes each answer as its call finishes; what finishes in one turn of the event loop goes out together, and the last of all goes
 * at once.
 */
function answerAll(
  calls: readonly BatchedCall[],
  { req: request, res: response }: Pick<Context, "req" | "res">,
  { served, verify, tell }: BatchService,
): void {
  const startedAt = performance.now();
  let ready = "";
  let flushing = false;
  let open = calls.length;
  const flushAnswers = () => {
    flushing = false;
    flush();
  };
  const flush = () => {
    if (ready === "" || response.destroyed) return;
    if (!response.headersSent) response.setHeader(CLOCK_HEADER, String(processTimeMs()));
    if (open === 0) response.end(ready);
    else response.write(ready);
    ready = "";
  };
  const sendNow = () => {
    flush();
    response.socket?.uncork(); // Node itself would do so a little later
  };
  calls.forEach(async (call, index) => {
    const trace = traceOf(call.traceparent);
    let announced = false;
    const announce = () => {
      if (announced) return;
      announced = true;
      ready += `${JSON.stringify({ index, begun: true } satisfies BatchLine)}\n`;
      process.nextTick(sendNow); // it has left this process before anything is written, which is queued after it
    };
    const progress: Progress = { begun: false, announce, isGone: () => hasGone(request, response) };
    const callee = served.get(call.operation);
    const line = await answer(call, index, { trace, progress }, callee, verify);
    announced = true; // what goes on after its deadline has nobody to tell, and after the last answer nowhere to
    open -= 1;
    if (callee !== undefined)
      tell(
        answered(call, callee.operation, line, {
          traceId: trace.traceId,
          durationMs: performance.now() - startedAt,
          cutOff: response.destroyed,
        }),
      );
    ready += `${JSON.stringify(line)}\n`;
    if (open === 0) return flush();
    if (!flushing) setImmediate(flushAnswers);
    flushing = true;
  });
}

function answered(
  call: BatchedCall,
  { method, path, status = 200 }: Operation,
  line: FinalLine,
  how: Pick<AnsweredRequest, "traceId" | "durationMs" | "cutOff">,
): AnsweredRequest {
  const request = { method, route: path, path, requestId: call.request_id, ...how };
  if (!("problem" in line)) return { ...request, status, problem: undefined };
  return {
    ...request,
    status: Number(line.problem.status),
    problem: String(line.problem.type).replace("/problems/", ""),
  };
}

async function answer(
  call: BatchedCall,
  index: number,
  own: Pick<CallContext, "trace" | "progress">,
  callee: Served | undefined,
  verify: VerifyToken,
): Promise<FinalLine> {
  const { token, request_id: requestId } = call;
  try {
    const deadline = performance.now() + timeLeft(call.timeout_ms, call.until_ms);
    const caller = callerOf(await identify(() => token, verify), callee?.operation.access);
    if (callee === undefined) throw new Problem("not-found", "There is no such operation.");
    const askedAt = performance.now() - (call.asked_ms === undefined ? 0 : processTimeMs() - call.asked_ms);
    const ctx = { ...caller, ...own, askedAt, deadline, requestId };
    return { index, output: await callee.callable.call(call.operation, call.input, ctx) };
  } catch (error) {
    const problem = isProblem(error) ? error : new Problem("internal", "Something went wrong here.", { cause: error });
    const headers = problemHeaders(problem);
    return { index, problem: problemBody(problem, BATCH_PATH, requestId), retryAfter: headers["Retry-After"] ?? null };
  }
}
