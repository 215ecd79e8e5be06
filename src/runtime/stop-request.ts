/** That whoever runs this process wants it to end. */
export interface StopRequest {
  /** What told so, in words. */
  readonly reason: string;
  /** The status of a process that leaves its work undone for it: 128 and the number of the signal, as in shells. */
  readonly status: number;
  /** Whether it stops since it cannot go on, and not since somebody wants it to. */
  readonly isFault?: true;
}

/** Windows tells by SIGBREAK what a terminal elsewhere tells by SIGHUP; where there is none, it never comes. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15, SIGBREAK: 21 } as const;
const SIGPIPE = 13;

/**
 * What a terminal sends to all of its programs. Who was started by a process of ours leaves it to that, which is sent it too, and says
 * when: what others need ends last. Windows has no other way to say it.
 */
const FROM_TERMINALS: ReadonlySet<string> = new Set(process.platform === "win32" ? [] : ["SIGHUP", "SIGINT"]);

const LOOK_AT_PARENT_MS = 500;

const { promise, resolve } = Promise.withResolvers<StopRequest>();

/** Resolves at the first request to stop. Further ones change nothing: npm and terminals tell of one twice. */
export const stopRequest: Promise<StopRequest> = promise;

/** Asks this process itself to stop, as it must not go on: it is to be started anew. @param reason in words */
export function requestStop(reason: string): void {
  resolve({ reason, status: 128 + SIGNALS.SIGTERM, isFault: true });
}

/**
 * Begins to listen for requests to stop. Belongs before all else that a process does, so that none is lost. A request is:
 * a signal; the end of whoever started this process, where that was a process of ours or npm; and the end of whoever
 * read what it prints.
 */
export function listenForStop(): void {
  const ask = (reason: string, signal: number) => resolve({ reason, status: 128 + signal });
  for (const [signal, number] of Object.entries(SIGNALS)) {
    const isForAll = process.connected && FROM_TERMINALS.has(signal);
    process.on(signal, () => isForAll || ask(signal, number));
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => ask("nobody reads what this prints any more", SIGPIPE));
  }
  if (process.connected) process.on("disconnect", () => ask("whoever started this is gone", SIGNALS.SIGHUP));
  // biome-ignore lint/style/noProcessEnv: the configuration comes later, and this is no setting of it
  if (process.env.npm_lifecycle_event !== undefined) onParentGone(() => ask("npm is gone", SIGNALS.SIGHUP));
}

/** npm dies of signals that it does not pass on. Its other children live on; ours would go on to serve, unseen. */
function onParentGone(tell: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent && isAlive(parent)) return;
    clearInterval(timer);
    tell();
  }, LOOK_AT_PARENT_MS).unref();
}

/** Windows goes on to name the same parent when there is none. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
