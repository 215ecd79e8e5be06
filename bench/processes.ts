import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that is measured. */
export interface Process {
  /** The processor time that all its threads took so far, in microseconds. */
  cpuMicros(): number;
  /** Ends it as an operator would, by force after ten seconds. */
  stop(): Promise<void>;
}

const STOP_WITHIN_MS = 10_000;

/** Linux counts processor time in hundredths of a second (USER_HZ), on every architecture that Node runs on. */
const MICROS_PER_TICK = 10_000;

/** Starts a program whose complaints are ours. @param cwd the folder that it runs in */
export function startProcess(
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): Process {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "ignore", "inherit"] });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  return { cpuMicros: () => readCpuMicros(child), stop: () => stop(child) };
}

/** See proc(5), `/proc/<pid>/stat`: user and system time are members 14 and 15, and member 2 may hold blanks. */
function readCpuMicros({ pid, exitCode }: ChildProcess): number {
  if (exitCode !== null) throw new Error("a server has ended before its time");
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const members = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(members[11]) + Number(members[12])) * MICROS_PER_TICK;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
  await exited;
  clearTimeout(timer);
}

/** Ports of this machine that nobody listens on now. */
export async function findFreePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

/** @throws Error when nobody answers 200 there within the time */
export async function untilReady(url: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(50);
  }
  throw new Error(`${url} was not ready in ${withinMs} ms`);
}
