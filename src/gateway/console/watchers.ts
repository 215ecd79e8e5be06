import type { EventStream } from "./event-stream.ts";

const STATUS_EVERY_MS = 2_000;
const BEAT_EVERY_MS = 15_000;

/** The most readers at once. */
const MAX_WATCHERS = 16;

export interface WatchersDeps {
  /** What the `status` message says now. */
  readonly readStatus: () => Promise<unknown>;
  /** Called before each status: lets those who are asked for it answer until the next. */
  readonly askAround: () => void;
  /** How often readers hear that the stream lives, and are looked at: whether they still may read it. */
  readonly beatEveryMs?: number;
}

/** One who watches. */
interface Watcher {
  readonly stream: EventStream;
  /** Whether they still may. */
  readonly mayStay: () => Promise<boolean>;
}

/** All who watch: while there are any, they are told how things are. */
export interface Watchers {
  readonly full: boolean;
  readonly any: boolean;
  /** @returns the way to say that they have left */
  add(stream: EventStream, mayStay: () => Promise<boolean>): () => void;
  /** Passes on what the ring has got. */
  pump(): void;
  /** Sends a message to everybody who keeps up. */
  send(event: string, data: unknown): void;
  /** Tells how things are, to everybody. */
  tell(): Promise<void>;
  /** Ends all streams. */
  close(): void;
}

export function createWatchers(deps: WatchersDeps): Watchers {
  const { readStatus, askAround, beatEveryMs = BEAT_EVERY_MS } = deps;
  const watchers = new Set<Watcher>();
  let timers: NodeJS.Timeout[] = [];

  function send(event: string, data: unknown): void {
    for (const { stream } of watchers) stream.send(event, data);
  }

  async function tell(): Promise<void> {
    send("status", await readStatus());
  }

  async function beat(): Promise<void> {
    for (const { stream, mayStay } of watchers) {
      stream.beat();
      if (!(await mayStay())) stream.end();
    }
  }

  function start(): void {
    const status = setInterval(() => {
      askAround();
      void tell();
    }, STATUS_EVERY_MS);
    timers = [status, setInterval(() => void beat(), beatEveryMs)];
    for (const timer of timers) timer.unref();
  }

  return {
    get full() {
      return watchers.size >= MAX_WATCHERS;
    },
    get any() {
      return watchers.size > 0;
    },
    add(stream, mayStay) {
      const watcher = { stream, mayStay };
      if (watchers.size === 0) start();
      watchers.add(watcher);
      askAround();
      void tell();
      return () => {
        watchers.delete(watcher);
        if (watchers.size === 0) for (const timer of timers) clearInterval(timer);
      };
    },
    pump() {
      for (const { stream } of watchers) stream.pump();
    },
    send,
    tell,
    close() {
      for (const { stream } of watchers) stream.end();
    },
  };
}
