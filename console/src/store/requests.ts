import { type Cell, createCell } from "../model/cell.ts";
import type { OutgoingRequest } from "../model/curl.ts";
import { parseJson } from "../model/json.ts";
import { newTrace } from "../model/traceparent.ts";

/** A request and its real answer, or why there is none. */
export interface Exchange {
  readonly number: number;
  readonly traceId: string;
  readonly request: OutgoingRequest;
  readonly sentAtMs: number;
  readonly answer: Answer | undefined;
  /** Why no answer came. */
  readonly failure: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly tookMs: number;
  readonly sizeBytes: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
}

export interface Requests {
  /** What the terminal shows, newest last. */
  readonly shown: Cell<readonly Exchange[]>;
  /** Sends it, signed in if one is, and shows it in the terminal. Never throws: a failure is part of the exchange. */
  send(method: string, path: string, body?: unknown): Promise<Exchange>;
  /** Sends it, signed in if one is, without showing it. Rejects where no answer comes. */
  sendQuietly(path: string, method?: string): Promise<Response>;
  /** True for a trace that this page began. */
  isOwn(traceId: string): boolean;
  clear(): void;
}

export interface RequestsDeps {
  fetch(path: string, init: RequestInit): Promise<Response>;
  token(): string | undefined;
}

/** The headers worth a look, in this order. */
const CHOSEN_HEADERS = [
  "content-type",
  "location",
  "etag",
  "www-authenticate",
  "retry-after",
  "idempotency-replayed",
  "cache-control",
  "ratelimit",
  "x-request-id",
];

const MOST_SHOWN = 50;

export function createRequests({ fetch, token }: RequestsDeps): Requests {
  const shown = createCell<readonly Exchange[]>([]);
  const own = new Set<string>();
  let count = 0;

  const begin = (): ReturnType<typeof newTrace> => {
    const trace = newTrace();
    own.add(trace.traceId);
    return trace;
  };

  const record = (exchange: Exchange): void => {
    const others = shown.get().filter((each) => each.number !== exchange.number);
    shown.set([...others, exchange].sort((a, b) => a.number - b.number).slice(-MOST_SHOWN));
  };

  return {
    shown,
    clear: () => shown.set([]),
    isOwn: (traceId) => own.has(traceId),
    sendQuietly(path, method = "GET") {
      const bearer = token();
      const authorization: HeadersInit = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
      return fetch(path, { method, headers: { traceparent: begin().header, ...authorization } });
    },
    async send(method, path, body) {
      const trace = begin();
      const bearer = token();
      const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
      count += 1;
      const pending: Exchange = {
        number: count,
        traceId: trace.traceId,
        request: { method, path, body: text, signedIn: bearer !== undefined },
        sentAtMs: Date.now(),
        answer: undefined,
        failure: undefined,
      };
      record(pending);
      const headers: Record<string, string> = { traceparent: trace.header };
      if (bearer !== undefined) headers.authorization = `Bearer ${bearer}`;
      if (text !== undefined) headers["content-type"] = "application/json";
      const done = await exchange(fetch, pending, { method, headers, body: text ?? null });
      record(done);
      return done;
    },
  };
}

async function exchange(fetch: RequestsDeps["fetch"], pending: Exchange, init: RequestInit): Promise<Exchange> {
  const startedAt = performance.now();
  try {
    const response = await fetch(pending.request.path, init);
    const text = await response.text();
    const tookMs = performance.now() - startedAt;
    const headers = CHOSEN_HEADERS.flatMap((name): [string, string][] => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, value]];
    });
    const sizeBytes = new TextEncoder().encode(text).length;
    return { ...pending, answer: { status: response.status, tookMs, sizeBytes, headers, text, json: parseJson(text) } };
  } catch {
    return { ...pending, failure: "No answer: the gateway cannot be reached." };
  }
}
