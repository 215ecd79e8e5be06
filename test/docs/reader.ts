import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { until } from "../support/process.ts";
import { isAsShown, type Step } from "./page.ts";
import { patiently } from "./patiently.ts";

const READY_WITHIN_MS = 240_000;
const STOP_WITHIN_MS = 20_000;

/** Somebody who does what a page says, to the letter. */
export interface Reader {
  /** @throws Error with what was printed, when a step fails or prints something else than the page shows */
  follow(step: Step): Promise<void>;
  /** Ends whatever still runs. */
  leave(): Promise<void>;
}

/** A program in a terminal of its own. */
interface Terminal {
  readonly process: ChildProcess;
  output(): string;
  readonly closed: Promise<unknown>;
}

/**
 * @param dir the clone that the page is followed in
 * @param env the environment of every terminal
 * @param gatewayUrl where the page's servers are ready, once they are
 */
export async function createReader(dir: string, env: NodeJS.ProcessEnv, gatewayUrl: string): Promise<Reader> {
  const shell = spawn("bash", ["--norc"], { cwd: dir, env, detached: true, stdio: ["pipe", "ignore", "inherit"] });
  const shellClosed = endWithUs(shell);
  const scripts = join(dir, ".git/reader");
  await mkdir(scripts);
  let terminals: Terminal[] = [];
  let ready = true;

  /** One shell for the whole page: what one block sets, the next can use. It ends with the first command that fails. */
  async function run(script: string, line: number): Promise<{ done: boolean; out: string; all: string }> {
    const file = join(scripts, String(line));
    await writeFile(file, patiently(script));
    const block = `set -e; source '${file}' >'${file}.out' 2>'${file}.err' </dev/null; touch '${file}.done'\n`;
    shell.stdin?.write(block);
    const isDone = () =>
      readFile(`${file}.done`).then(
        () => true,
        () => false,
      );
    let over = false;
    shellClosed.then(() => {
      over = true;
    });
    await until(`line ${line} has been done`, async () => (await isDone()) || over, 600_000);
    const [out, err] = await Promise.all([readFile(`${file}.out`, "utf8"), readFile(`${file}.err`, "utf8")]);
    return { done: await isDone(), out, all: `${out}${err}` };
  }

  async function untilServed(): Promise<void> {
    if (ready) return;
    const isReady = async () => {
      for (const { process, output } of terminals) {
        if (process.exitCode !== null) throw new Error(`a server ended:\n${output()}`);
      }
      const answer = await fetch(`${gatewayUrl}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    };
    await until(`${gatewayUrl} is ready`, isReady, READY_WITHIN_MS).catch((error: Error) => {
      throw new Error(`${error.message}; it printed\n${terminals.map(({ output }) => output()).join("\n")}`);
    });
    ready = true;
  }

  async function interrupt(): Promise<void> {
    const ending = terminals;
    terminals = [];
    ready = true;
    for (const { process } of ending) signal(process, "SIGINT");
    const timer = setTimeout(() => ending.map(({ process }) => signal(process, "SIGKILL")), STOP_WITHIN_MS);
    await Promise.all(ending.map(({ closed }) => closed));
    clearTimeout(timer);
  }

  return {
    async follow(step) {
      if (step.kind === "serve") {
        terminals.push(openTerminal(step.script, dir, env));
        ready = false;
        return;
      }
      await untilServed();
      switch (step.kind) {
        case "write":
          await mkdir(dirname(join(dir, step.path)), { recursive: true });
          await writeFile(join(dir, step.path), step.text);
          return;
        case "interrupt":
          return interrupt();
        case "apply": {
          const file = join(scripts, `${step.line}.diff`);
          await writeFile(file, step.diff);
          const { done, all } = await run(`git apply --recount -C1 '${file}'`, step.line);
          if (!done) throw new Error(`line ${step.line}: the change does not fit:\n${all}`);
          return;
        }
        case "run": {
          const { done, out, all } = await run(step.script, step.line);
          const told = () => `${all}\n${terminals.map(({ output }) => output()).join("\n")}`;
          if (!done) throw new Error(`line ${step.line}: the command failed:\n${told()}`);
          if (step.expected !== undefined && !isAsShown(out, step.expected)) {
            throw new Error(`line ${step.line}: expected\n${step.expected}\nbut it printed\n${told()}`);
          }
        }
      }
    },
    async leave() {
      await interrupt();
      signal(shell, "SIGKILL");
      await shellClosed;
    },
  };
}

function openTerminal(script: string, cwd: string, env: NodeJS.ProcessEnv): Terminal {
  const child = spawn("bash", ["-ec", script], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const closed = endWithUs(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return { process: child, output: () => output, closed };
}

/** Nothing outlives the tests, however they end. Resolves when it has ended. */
function endWithUs(child: ChildProcess): Promise<unknown> {
  const kill = () => signal(child, "SIGKILL");
  process.once("exit", kill);
  return once(child, "close").finally(() => process.off("exit", kill));
}

/** To the whole group, as a terminal does it. */
function signal(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
