import type { SpanRecord } from "../../src/telemetry/span-record.ts";
import { until } from "./process.ts";

/** A message of a stream of server-sent events. */
export interface StreamMessage {
  readonly event: string;
  readonly id: string;
  readonly data: Record<string, unknown>;
}

type IsWanted = (data: StreamMessage["data"]) => boolean;

/** A reader of `/console/stream`, as the page is one. */
export interface StreamReader {
  /** All text so far, as it came. */
  text(): string;
  messages(event?: string): StreamMessage[];
  spans(): SpanRecord[];
  /** Resolves the first message of this kind that is as wanted. */
  next(event: string, isWanted?: IsWanted): Promise<StreamMessage>;
  /** As `next`, but of those that come from now on. */
  nextNew(event: string, isWanted?: IsWanted): Promise<StreamMessage>;
  /** Settles when the stream has ended. */
  readonly ended: Promise<void>;
  close(): void;
}

/** @throws Error when the answer is not a stream */
export async function readStream(url: string, headers: Readonly<Record<string, string>> = {}): Promise<StreamReader> {
  const abort = new AbortController();
  const answer = await fetch(`${url}/console/stream`, { headers, signal: abort.signal });
  if (answer.status !== 200 || answer.body === null) throw new Error(`answered ${answer.status}`);
  let text = "";
  const read = async (body: AsyncIterable<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const piece of body) text += decoder.decode(piece, { stream: true });
  };
  const ended = read(answer.body).catch(() => undefined);
  const messages = (event?: string) =>
    text
      .split("\n\n")
      .slice(0, -1)
      .flatMap(parseMessage)
      .filter((message) => event === undefined || message.event === event);
  const firstFrom = async (from: number, event: string, isWanted: IsWanted = () => true) => {
    const find = () => messages(event).find(({ data }, at) => at >= from && isWanted(data));
    await until(`there is such a message: ${event}`, () => find() !== undefined);
    return find() as StreamMessage;
  };
  return {
    text: () => text,
    messages,
    spans: () => messages("spans").flatMap(({ data }) => data.spans as SpanRecord[]),
    next: (event, isWanted) => firstFrom(0, event, isWanted),
    nextNew: (event, isWanted) => firstFrom(messages(event).length, event, isWanted),
    ended,
    close: () => abort.abort(),
  };
}

function parseMessage(block: string): StreamMessage[] {
  const fields = new Map(block.split("\n").map((line) => line.split(/: (.*)/s, 2) as [string, string]));
  const [event, id, data] = ["event", "id", "data"].map((name) => fields.get(name));
  return event === undefined || id === undefined || data === undefined ? [] : [{ event, id, data: JSON.parse(data) }];
}
