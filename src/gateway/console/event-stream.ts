import type { ServerResponse } from "node:http";
import type { SpanRing } from "./span-ring.ts";

/** What a reader is sent: `event`, data and, in `id`, where to resume. */
export interface EventStreamDeps {
  readonly ring: SpanRing;
  /** Names this start of the gateway: positions of another start mean nothing here. */
  readonly epoch: string;
  /** How many spans never arrived here. */
  readonly lost: () => number;
}

/** One reader's server-sent events (WHATWG HTML, 9.2). */
export interface EventStream {
  /** Sends what the ring has and this reader has not, as far as the reader keeps up. */
  pump(): void;
  /** Sends a message, or leaves it out when the reader does not keep up. */
  send(event: string, data: unknown): void;
  /** Sends a comment, or breaks the stream off when the reader has not read for too long. */
  beat(): void;
  /** Sends nothing more; what the reader does not take in time is dropped. */
  end(): void;
}

/** How long a client waits before it connects again. */
const RETRY_MS = 1_000;

/** How long a reader may take for what is left when the stream ends. */
const LAST_WORDS_MS = 1_000;

/** Heartbeats in a row that a reader may miss. */
const MAX_MISSED_BEATS = 4;

/**
 * Begins a stream. The ring is the only buffer: a slow reader goes on from there when it reads again, and what has left
 * the ring by then is counted as lost to it.
 * @param hello the first message
 * @param lastEventId where an earlier stream ended
 */
export function openEventStream(
  response: ServerResponse,
  { ring, epoch, lost }: EventStreamDeps,
  hello: object,
  lastEventId: string,
): EventStream {
  const position = resume(ring, epoch, lastEventId);
  let { number, total } = position ?? { number: ring.newest, total: ring.total };
  let lostHere = 0;
  let blocked = false;
  let missedBeats = 0;

  const dropped = () => lost() + lostHere;
  /** An ended stream whose reader does not read has not closed: nothing may be written to it. */
  const put = (text: string) => {
    if (!response.writableEnded) blocked = !response.write(text);
  };
  const write = (event: string, data: unknown) => {
    put(`event: ${event}\nid: ${epoch}-${number}-${total}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const stream: EventStream = {
    pump() {
      for (let entry = ring.after(number); !blocked && entry !== undefined; entry = ring.after(number)) {
        lostHere += entry.before - total;
        number = entry.number;
        total = entry.before + entry.spans.length;
        write("spans", { dropped: dropped(), spans: entry.spans });
      }
    },
    send(event, data) {
      if (!blocked) write(event, data);
    },
    beat() {
      missedBeats = blocked ? missedBeats + 1 : 0;
      if (!blocked) put(":\n\n");
      if (missedBeats > MAX_MISSED_BEATS) response.destroy();
    },
    end() {
      if (response.writableEnded) return;
      response.end();
      const timer = setTimeout(() => response.destroy(), LAST_WORDS_MS).unref();
      response.once("close", () => clearTimeout(timer));
    },
  };
  response.on("drain", () => {
    blocked = false;
    stream.pump();
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  write("hello", { ...hello, dropped: dropped(), resumed: position !== undefined });
  stream.pump();
  return stream;
}

/** Where to go on, if the ring still has all that followed. */
function resume(ring: SpanRing, epoch: string, lastEventId: string) {
  const [, from, number = "", total = ""] = /^([0-9a-f]+)-(\d{1,15})-(\d{1,15})$/.exec(lastEventId) ?? [];
  const position = { number: Number(number), total: Number(total) };
  if (from !== epoch || position.number > ring.newest) return undefined;
  const next = ring.after(position.number);
  return position.total === (next?.before ?? ring.total) ? position : undefined;
}
