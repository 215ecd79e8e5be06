import type { Writable } from "node:stream";

/** Node offers no other way to what libuv's `uv_stream_set_blocking` does. */
interface TerminalStream extends Writable {
  readonly _handle?: { setBlocking?(on: boolean): void };
}

/** What may wait for a reader. */
const LIMIT_BYTES = 1024 * 1024;

/** A stream for lines that keeps its writer from waiting: what nobody reads is dropped. */
export interface Output {
  write(text: string): void;
}

/**
 * @param stream such as standard output. Node writes to a pipe without waiting for it, and keeps what does not fit without
 *   a limit. For a terminal it would wait, also for one that is there and shows nothing, and do nothing else meanwhile
 * @param onDropped told how many texts were dropped, once there is a reader again
 */
export function createOutput(stream: Writable, onDropped: (count: number) => void): Output {
  let dropped = 0;
  (stream as TerminalStream)._handle?.setBlocking?.(false);
  return {
    write(text) {
      if (stream.destroyed) return;
      if (stream.writableLength > LIMIT_BYTES) {
        dropped += 1;
        return;
      }
      const missed = dropped;
      dropped = 0;
      if (missed > 0) onDropped(missed);
      stream.write(text);
    },
  };
}
