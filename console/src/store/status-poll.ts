import { parseJson } from "../model/json.ts";

export interface StatusPollDeps {
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** False while the stream tells the status anyway. */
  isNeeded(): boolean;
  /** Told nothing where the gateway does not answer. */
  onStatus(body: unknown): void;
}

const EVERY_MS = 2_000;

/** Asks for the status as long as no stream tells it: while it is broken, paused, or not for this person. */
export function createStatusPoll({ fetch, isNeeded, onStatus }: StatusPollDeps) {
  const ask = async (): Promise<void> => {
    const response = await fetch("/status").catch(() => undefined);
    if (isNeeded()) onStatus(response?.ok ? parseJson(await response.text()) : undefined);
  };
  const loop = async (): Promise<void> => {
    if (isNeeded()) await ask();
    setTimeout(loop, EVERY_MS);
  };
  return { start: () => void loop() };
}
