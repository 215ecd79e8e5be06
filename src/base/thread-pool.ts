import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import type { Piscina } from "piscina";

export interface ThreadPoolOptions {
  /** The module whose functions the threads run. */
  readonly worker: URL;
  readonly minThreads: number;
  readonly maxThreads: number;
}

/** How long a thread beyond `minThreads` waits for more to do. */
const IDLE_MS = 30_000;

/** Worker threads, which start with the first task and end when they have been idle. */
export class ThreadPool {
  readonly #options: ThreadPoolOptions;
  #pool: Promise<Piscina> | undefined;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
  }

  /**
   * Runs a task in one of the threads.
   * @param name the function of the module; by default its default one
   * @throws whatever the function throws; Error when no thread could be started, or it ended
   */
  async run<Result>(task: unknown, name?: string): Promise<Result> {
    return (await this.#open()).run(task, name === undefined ? {} : { name });
  }

  /** Ends the threads; what still runs fails. */
  async stop(): Promise<void> {
    await (await this.#pool?.catch(() => undefined))?.destroy();
  }

  /** A pool that could not be made, for want of a file descriptor say, is not kept. */
  #open(): Promise<Piscina> {
    this.#pool ??= createPool(this.#options).catch((error: unknown) => {
      this.#pool = undefined;
      throw error;
    });
    return this.#pool;
  }
}

async function createPool({ worker, ...threads }: ThreadPoolOptions): Promise<Piscina> {
  const { Piscina } = await import("piscina");
  const pool = new Piscina({ filename: worker.href, ...threads, ...compiledAlready(), idleTimeout: IDLE_MS });
  pool.on("error", () => {}); // a thread that could not start, or ended, is replaced; its task fails by itself
  return pool;
}

/**
 * A thread finds its code compiled where this one does; to strip the types itself would take each 40 ms and 12 MB.
 * @returns undefined where nothing is kept compiled: the thread has then what is set for this process
 */
function compiledAlready(): { env: NodeJS.ProcessEnv } | undefined {
  const cache = getCompileCacheDir();
  // biome-ignore lint/style/noProcessEnv: it is handed on as it is, with what Node asks for beside it
  return cache === undefined ? undefined : { env: { NODE_COMPILE_CACHE: dirname(cache), ...process.env } };
}
