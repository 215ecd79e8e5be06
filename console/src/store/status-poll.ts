import { parseJson } from "../model/json.ts";

export interface StatusPollDeps {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** False while the stream tells the status anyway. */
  isNeeded(): boolean;
  /** Told nothing where the gateway does not answer. */
  onStatus(body: unknown): void;
  /** Told what an answer took, in milliseconds. */
  onLatency(ms: number): void;
}

const EVERY_MS = 2_000;

/** A figure alone is not worth the work of asking so often. */
const FIGURE_EVERY_MS = 10_000;

/** A gateway that is frozen takes the connection and never answers; it asks the others for no longer than a second. */
const TIMEOUT_MS = 3_000;

/**
 * Asks the gateway again and again: for the status as long as no stream tells it (broken, paused, or not for this
 * person), and else only whether it lives, to measure how long that takes.
 */
export function createStatusPoll({ fetch, isNeeded, onStatus, onLatency }: StatusPollDeps) {
  const ask = async (): Promise<void> => {
    const needed = isNeeded();
    const startedAt = performance.now();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(needed ? "/status" : "/livez", { signal }).catch(() => undefined);
    if (response !== undefined) onLatency(performance.now() - startedAt);
    // The time may also run out, or the connection break, in the middle of the body.
    const text = response?.ok ? await response.text().catch(() => "") : "";
    if (needed && isNeeded()) onStatus(parseJson(text));
  };
  let askedAtMs = Number.NEGATIVE_INFINITY;
  const loop = async (): Promise<void> => {
    const now = performance.now();
    if (isNeeded() || now - askedAtMs >= FIGURE_EVERY_MS) {
      // What was asked while the page was still being loaded took long for that reason alone: it is asked again soon.
      askedAtMs = isNeeded() ? askedAtMs : now;
      await ask();
    }
    setTimeout(loop, EVERY_MS);
  };
  return { start: () => void loop() };
}
