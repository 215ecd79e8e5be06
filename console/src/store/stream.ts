import { type Cell, createCell } from "../model/cell.ts";
import { parseJson } from "../model/json.ts";
import { createSseReader, type SseMessage } from "../model/sse.ts";

/** `denied`: the gateway answers, but only an admin may watch. */
export type LinkState = "connecting" | "live" | "reconnecting" | "paused" | "denied";

export interface Stream {
  readonly state: Cell<LinkState>;
  /** Starts, or starts again: after a pause, or with another token. */
  open(): void;
  pause(): void;
}

export interface StreamDeps {
  fetch(path: string, init: RequestInit): Promise<Response>;
  onMessage(event: string, data: unknown): void;
}

/** The gateway tells the status every 2 s; a stream that is silent for so long is taken as broken. */
const SILENCE_MS = 8_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/**
 * Reads the gateway's stream for as long as the page lives: a break is told as `reconnecting` and tried again, and what
 * was missed comes with the next connection, which names the last message seen.
 */
export function createStream({ fetch, onMessage }: StreamDeps): Stream {
  const state = createCell<LinkState>("connecting");
  let lastId: string | undefined;
  let current: AbortController | undefined;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;

  const receive = ({ id, event, data }: SseMessage): void => {
    lastId = id ?? lastId;
    onMessage(event, parseJson(data));
  };

  const connect = async (): Promise<void> => {
    const own = new AbortController();
    current = own;
    const outcome = await read(own).catch(() => "broken" as const);
    if (current !== own) return;
    if (outcome === "denied") return state.set("denied");
    state.set("reconnecting");
    retry = setTimeout(connect, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures));
    failures += 1;
  };

  const read = async (own: AbortController): Promise<"broken" | "denied"> => {
    const watchdog = createWatchdog(SILENCE_MS, () => own.abort());
    try {
      const headers: Record<string, string> = lastId === undefined ? {} : { "Last-Event-ID": lastId };
      const response = await fetch("/console/stream", { headers, signal: own.signal });
      if (response.status === 401 || response.status === 403) return "denied";
      if (!response.ok || response.body === null) return "broken";
      failures = 0;
      state.set("live");
      const take = createSseReader(receive);
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        watchdog.feed();
        take(piece);
      }
      return "broken";
    } finally {
      watchdog.stop();
      own.abort();
    }
  };

  const stop = (): void => {
    clearTimeout(retry);
    const own = current;
    current = undefined;
    own?.abort();
  };

  return {
    state,
    open() {
      stop();
      failures = 0;
      state.set("connecting");
      void connect();
    },
    pause() {
      stop();
      state.set("paused");
    },
  };
}

/** Calls back once when it has not been fed for that long. */
function createWatchdog(timeoutMs: number, onSilence: () => void) {
  let timer = setTimeout(onSilence, timeoutMs);
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    feed() {
      stop();
      timer = setTimeout(onSilence, timeoutMs);
    },
  };
}
