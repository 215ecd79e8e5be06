import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { watch } from "chokidar";
import { reasonOf } from "../../base/fault-reason.ts";
import type { Arguments } from "../../runtime/config.ts";
import { stopRequest } from "../../runtime/stop-request.ts";
import { isReadyMessage } from "../greeting.ts";
import { openSupervisorControl } from "../supervising/supervisor-control.ts";
import { Apart } from "./apart.ts";

const SOURCES = fileURLToPath(new URL("../..", import.meta.url));

/** Who saves a file often writes it more than once, and others with it. */
const SETTLE_MS = 100;
const STOP_TIMEOUT_MS = 9_800;

/**
 * Serves in a process of its own, which is started again whenever a file of the source has changed; so is each that a module has been
 * moved to. Ends when it is asked to, or when that process has been.
 * @param args the settings that were given as flags; every process gets them
 */
export async function runDev({ config }: Arguments, args: readonly string[]): Promise<void> {
  const tell = (line: string) => console.log(line);
  const apart = new Apart(config, args, tell);
  const control = await openSupervisorControl(config, {
    names: () => apart.names,
    operations: apart.operations,
    controls: () => apart.controls(),
    tell,
  });
  try {
    await apart.restore();
    await serve(args, apart);
  } finally {
    await control.close().catch(() => undefined); // who is to have a module back has ended
    await apart.stop();
  }
}

async function serve(args: readonly string[], apart: Apart): Promise<void> {
  const changes = new Changes();
  const asked = stopRequest.then(() => "asked" as const);
  let greeted = false;
  let running: ChildProcess | undefined;
  process.on("SIGUSR2", () => running?.kill("SIGUSR2")); // see log-level.ts
  for (;;) {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args], {
      env: await apart.environment(),
      stdio: ["inherit", "inherit", "inherit", "ipc"],
    });
    running = child;
    child.on("message", (message) => {
      if (!greeted && isReadyMessage(message) && message.greeting !== undefined) console.log(message.greeting);
      greeted = true;
    });
    const ended = once(child, "exit").then(([status, signal]) => (signal ?? status) as string | number);
    const next = await Promise.race([asked, changes.next(), ended]);
    if (next !== "changed" && next !== "asked" && next !== 0) {
      console.log(`It has ended (${next}). A change of the source starts it again.`);
      if ((await Promise.race([asked, changes.next()])) === "changed") continue;
    }
    if (next === "asked") await apart.stopStandbys(); // while there is a home for what they have
    await stop(child, ended);
    if (next !== "changed") break;
    console.log("The source has changed: starting again");
    await apart.startAgain();
  }
  await changes.close();
}

async function stop(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_TIMEOUT_MS);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(timer);
}

/** Waits for changes of the source, whether a file is written in its place or another takes that, as editors and git do it. */
class Changes {
  readonly #watcher = watch(SOURCES, { ignoreInitial: true })
    .on("all", () => this.#changed())
    .on("error", (error) => console.log(`Changes of the source may not be seen: ${reasonOf(error)}`));
  #timer: NodeJS.Timeout | undefined;
  #tell: () => void = () => {};

  next(): Promise<"changed"> {
    return new Promise((resolve) => {
      this.#tell = () => resolve("changed");
    });
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    return this.#watcher.close();
  }

  #changed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), SETTLE_MS);
  }
}
