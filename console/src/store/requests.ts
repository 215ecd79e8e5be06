import { type Cell, createCell } from "../model/cell.ts";
import type { OutgoingRequest } from "../model/curl.ts";
import { parseJson } from "../model/json.ts";
import { newTrace } from "../model/traceparent.ts";
import type { Session, Sessions } from "./session.ts";

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
  /**
   * Sends it and shows it in the terminal. Never throws: a failure is part of the exchange.
   * @param as in whose name; left out, it is who is signed in, if anyone is
   */
  send(method: string, path: string, body?: unknown, as?: Session): Promise<Exchange>;
  /** Sends it without showing it. Rejects where no answer comes. @param as in whose name; left out, it is who is signed in */
  sendQuietly(path: string, init?: RequestInit, as?: Session): Promise<Response>;
  /** True for a trace that this page began. */
  isOwn(traceId: string): boolean;
  /** What this page was answered in that trace, as long as the terminal shows it. */
  find(traceId: string): Exchange | undefined;
  clear(): void;
}

export interface RequestsDeps {
  fetch(path: string, init: RequestInit): Promise<Response>;
  readonly sessions: Pick<Sessions, "session" | "tokenOf" | "renew">;
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

export function createRequests({ fetch, sessions }: RequestsDeps): Requests {
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

  /** Sends it in somebody's name; a token that is refused is renewed once, for a request that was refused has done nothing. */
  const sendAs = async (as: Session | undefined, path: string, init: RequestInit): Promise<Response> => {
    const once = async (): Promise<Response> => {
      const token = as && (await sessions.tokenOf(as));
      const authorization: HeadersInit = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return fetch(path, { ...init, headers: { ...init.headers, ...authorization } });
    };
    const response = await once();
    const refused = response.status === 401 && /invalid_token/.test(response.headers.get("www-authenticate") ?? "");
    return as !== undefined && refused && (await sessions.renew(as)) ? once() : response;
  };

  return {
    shown,
    clear: () => shown.set([]),
    isOwn: (traceId) => own.has(traceId),
    find: (traceId) => shown.get().find((each) => each.traceId === traceId),
    sendQuietly: (path, init = {}, as = sessions.session.get()) =>
      sendAs(as, path, { ...init, headers: { ...init.headers, traceparent: begin().header } }),
    async send(method, path, body, as = sessions.session.get()) {
      const trace = begin();
      const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
      count += 1;
      const pending: Exchange = {
        number: count,
        traceId: trace.traceId,
        request: { method, path, body: text, as: as?.name },
        sentAtMs: Date.now(),
        answer: undefined,
        failure: undefined,
      };
      record(pending);
      const headers: Record<string, string> = { traceparent: trace.header };
      if (text !== undefined) headers["content-type"] = "application/json";
      const done = await exchange((init) => sendAs(as, path, init), pending, { method, headers, body: text ?? null });
      record(done);
      return done;
    },
  };
}

async function exchange(
  send: (init: RequestInit) => Promise<Response>,
  pending: Exchange,
  init: RequestInit,
): Promise<Exchange> {
  const startedAt = performance.now();
  try {
    const response = await send(init);
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
