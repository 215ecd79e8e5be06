import { isProblem, type Problem } from "../base/problem.ts";
import { formatTraceparent } from "../base/trace.ts";
import { type CallContext, remainingMs } from "../contract/context.ts";
import { NO_CONTENT, type Operation } from "../contract/contract.ts";
import { BATCH_PATH, type BatchedCall, type BatchLine, CLOCK_HEADER, TIMEOUT_HEADER, UNTIL_HEADER } from "./batch.ts";
import { Binding } from "./binding.ts";
import { BATCH_LIMIT_BYTES, BODY_LIMIT_BYTES, HEAD_LIMIT_BYTES } from "./limits.ts";
import { createPeerClock, type PeerClock, processTimeMs } from "./peer-clock.ts";
import { readProblem } from "./problem-body.ts";
import type { QueuedCall, SendFlight } from "./queue.ts";
import type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";

/**
 * Sends a lone read as the plain REST request of its contract, all else as a batch.
 * @returns the sender; it rejects when the neighbour cannot be reached, breaks off, or answers what is not ours
 */
export function createFlightSender(plain: Pick<Transport, "send">, takesBatches: boolean): SendFlight {
  const transport = withClock(plain);
  return async (calls, signal) => {
    const [first, second] = calls;
    if (first === undefined) return;
    // Only in a batch can a call that changes something tell that it begins.
    if (second === undefined && (first.callee.isRead || !takesBatches)) await sendAlone(first, transport, signal);
    else await sendBatch(calls, transport, signal);
  };
}

/** A neighbour refused a request as a whole, for it serves nothing yet, or nothing more. Nothing of it was begun. */
export class NotServing extends Error {
  override readonly name = "NotServing";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** A transport, and what its answers have told of the neighbour's clock. */
interface ClockedTransport extends Pick<Transport, "send"> {
  readonly clock: PeerClock;
  /** Asks for its time, unless that is known or it was asked before. Rejects where it cannot be reached. */
  learn(signal: AbortSignal): Promise<void>;
}

const ASK_TIME = { method: "GET", path: "/livez", headers: { [TIMEOUT_HEADER]: "0" }, body: undefined } as const;

function withClock(transport: Pick<Transport, "send">): ClockedTransport {
  const clock = createPeerClock();
  let wasAsked = false;
  async function send(request: TransportRequest): Promise<TransportAnswer> {
    const sentAtMs = processTimeMs();
    const answer = await transport.send(request);
    const told = answer.header(CLOCK_HEADER);
    if (told !== null) clock.note(Number(told), sentAtMs, processTimeMs());
    return answer;
  }
  async function learn(signal: AbortSignal): Promise<void> {
    if (wasAsked || clock.translate(0) !== undefined) return;
    await readAll(await send({ ...ASK_TIME, signal }));
    wasAsked = true;
  }
  return { clock, send, learn };
}

async function sendAlone(call: QueuedCall, transport: ClockedTransport, signal: AbortSignal): Promise<void> {
  const { operation } = call.callee;
  call.journey.sent = true;
  const { path, query, headers, body } = Binding.of(operation).write(call.input);
  const json = body === undefined ? undefined : JSON.stringify(body);
  const target = query === "" ? path : `${path}?${query}`;
  const head = { ...headers, ...contextHeaders(call.ctx, transport.clock), ...(body === undefined ? {} : JSON_BODY) };
  // What was within the limits may be beyond them when it is written anew (1e20 has 21 digits, "(" is %28): a batch takes it.
  if (Buffer.byteLength(json ?? "") > BODY_LIMIT_BYTES || isLargeHead(target, head)) {
    return sendBatch([call], transport, signal);
  }
  const answer = await transport.send({
    method: operation.method,
    path: target,
    headers: head,
    body: json,
    signal,
  });
  const text = await readAll(answer);
  const output = (answer.status === NO_CONTENT ? {} : JSON.parse(text)) as Record<string, unknown>;
  if (answer.status >= 400) {
    const problem = problemOf(call, output, (name) => answer.header(name));
    if (isProblem(problem) && call.callee.isRead && isRefused(answer)) throw new NotServing(problem);
    call.reject(problem);
  } else call.resolve(withHeaders(output, operation, answer));
}

/** Whether a head might not be taken by the neighbour. */
function isLargeHead(target: string, headers: Readonly<Record<string, string>>): boolean {
  return Object.values(headers).reduce((bytes, value) => bytes + value.length, target.length) > HEAD_LIMIT_BYTES / 2;
}

async function sendBatch(
  calls: readonly QueuedCall[],
  transport: ClockedTransport,
  signal: AbortSignal,
): Promise<void> {
  // What changes something is told until when it may begin: the neighbour may stand still, and read it when its caller has asked elsewhere.
  if (calls.some(({ callee }) => !callee.isRead)) await transport.learn(signal);
  const body = JSON.stringify({ calls: calls.map((call) => batched(call, transport.clock)) });
  if (calls.length > 1 && Buffer.byteLength(body) > BATCH_LIMIT_BYTES) {
    const half = calls.length >> 1;
    await sendBatch(calls.slice(0, half), transport, signal);
    return sendBatch(calls.slice(half), transport, signal);
  }
  const answer = await transport.send({ method: "POST", path: BATCH_PATH, headers: JSON_BODY, body, signal });
  if (answer.status !== 200) throw await refusalOf(answer, calls);
  let answered = 0;
  try {
    for await (const line of linesOf(answer.body)) {
      if (settle(calls, JSON.parse(line) as BatchLine)) answered += 1;
    }
  } catch (error) {
    // The last of them gave up; that a neighbour which answered others was slow for one is not its failure.
    if (answered === 0 || !signal.aborted) throw error;
  }
  if (answered < calls.length && !signal.aborted) throw new Error("a batch broke off");
}

/** A batch is refused as a whole by who does not serve, or cannot read it; a proxy may answer what it likes. */
async function refusalOf(answer: TransportAnswer, [call]: readonly QueuedCall[]): Promise<Error> {
  const other = new Error(`a batch was answered with ${answer.status}`);
  if (call === undefined || !isRefused(answer)) return other;
  const problem = problemOf(call, JSON.parse(await readAll(answer)), (name) => answer.header(name));
  return isProblem(problem) ? new NotServing(problem) : other;
}

/** Who starts, or is about to stop, closes the connection with its refusal. */
function isRefused(answer: TransportAnswer): boolean {
  return answer.status === UNAVAILABLE && answer.header("connection")?.toLowerCase() === "close";
}

/** @returns whether that was the last word on a call */
function settle(calls: readonly QueuedCall[], line: BatchLine): boolean {
  const call = calls[line.index];
  if (call === undefined) throw new Error("a batch answered a call that was not in it");
  if ("begun" in line) {
    begin(call);
    return false;
  }
  if ("problem" in line) call.reject(problemOf(call, line.problem, () => line.retryAfter));
  else call.resolve(line.output);
  return true;
}

/** What a neighbour does for a call is done by the one that it serves, too. */
function begin({ journey, ctx: { progress } }: QueuedCall): void {
  journey.begun = true;
  progress?.announce?.();
  if (progress !== undefined) progress.begun = true;
}

function problemOf({ callee }: QueuedCall, body: unknown, header: (name: string) => string | null): Error {
  return readProblem(body, header, callee.types) ?? new Error("the neighbour answered what is not a problem of ours");
}

function batched({ callee, input, ctx, journey }: QueuedCall, clock: PeerClock): BatchedCall {
  const until = untilOf(ctx, clock);
  const asked = clock.translateLatest(processTimeMs() - msSince(ctx.askedAt));
  journey.sent = true;
  journey.bounded = until !== undefined;
  return {
    operation: callee.name,
    input: { ...input },
    token: ctx.token,
    timeout_ms: remainingMs(ctx),
    ...(until === undefined ? {} : { until_ms: until }),
    ...(asked === undefined ? {} : { asked_ms: asked }),
    request_id: ctx.requestId,
    traceparent: formatTraceparent(ctx.trace),
  };
}

function msSince(atMs = performance.now()): number {
  return performance.now() - atMs;
}

const UNAVAILABLE = 503;

const JSON_BODY = { "content-type": "application/json" };

/** The deadline in the neighbour's time, undefined while that is not known. */
function untilOf(ctx: CallContext, clock: PeerClock): number | undefined {
  return clock.translate(processTimeMs() + remainingMs(ctx));
}

function contextHeaders(ctx: CallContext, clock: PeerClock): Record<string, string> {
  const until = untilOf(ctx, clock);
  return {
    ...(until === undefined ? {} : { [UNTIL_HEADER]: until.toFixed(3) }),
    ...(ctx.token === null ? {} : { authorization: `Bearer ${ctx.token}` }),
    [TIMEOUT_HEADER]: String(Math.ceil(remainingMs(ctx))),
    "x-request-id": ctx.requestId,
    traceparent: formatTraceparent(ctx.trace),
  };
}

/** Puts members that travelled as headers back; they are flags, so far. */
function withHeaders(output: Record<string, unknown>, operation: Operation, answer: TransportAnswer) {
  for (const [member, header] of Object.entries(operation.outputHeaders ?? {})) {
    if (answer.header(header.toLowerCase()) === "true") output[member] = true;
  }
  return output;
}

async function readAll(answer: TransportAnswer): Promise<string> {
  let text = "";
  for await (const piece of answer.body) text += piece;
  return text;
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
