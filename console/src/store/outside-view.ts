import type { Flow, Step } from "../model/flow.ts";
import { readProblem } from "../model/problem.ts";
import { statusText } from "../model/status-text.ts";
import type { Exchange } from "./requests.ts";

/** What the page saw of its own request: all that can be drawn where nobody tells what happened behind the gateway. */
export function flowOfExchange({ traceId, request, sentAtMs, answer }: Exchange): Flow {
  const title = `${request.method} ${request.path.split("?")[0]}`;
  const tookMs = answer?.tookMs ?? Date.now() - sentAtMs;
  const sent: Draft = {
    ...{ from: "client", to: "gateway", phase: "request", what: title },
    how: answer === undefined ? "no answer from there" : "HTTP from outside",
    status: answer === undefined ? "no-answer" : "received",
    failed: answer === undefined,
    refused: false,
    ...{ startMs: 0, durationMs: tookMs },
  };
  const refused = readProblem(answer?.json)?.name === "insufficient-stock";
  const failed = answer === undefined || (answer.status >= 400 && !refused);
  const answered: Draft[] =
    answer === undefined
      ? []
      : [
          {
            ...{ from: "gateway", to: "client", phase: "answer", what: statusText(answer.status) },
            how: "the client has its answer",
            status: String(answer.status),
            failed,
            refused,
            ...{ startMs: tookMs, durationMs: tookMs },
          },
        ];
  const steps = [sent, ...answered].map((draft, index) => toStep(draft, traceId, index + 1));
  return {
    ...{ traceId, requestId: undefined, title, startedAtMs: sentAtMs, steps, failed },
    status: answer === undefined ? undefined : String(answer.status),
    answeredInMs: answer?.tookMs,
    totalMs: tookMs,
    outcome: refused ? "refused" : undefined,
    origin: failed ? steps.length : undefined,
    settled: true,
  };
}

type Draft = Omit<Step, "number" | "spanId" | "kind" | "statements">;

function toStep(draft: Draft, traceId: string, number: number): Step {
  return { ...draft, number, spanId: `${traceId}-${number}`, kind: "http", statements: [] };
}
