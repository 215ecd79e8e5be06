import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A server that is measured. */
export interface Process {
  readonly name: string;
  /** The processor time that all its threads took so far, in microseconds. */
  cpuMicros(): number;
  /** The memory that it has now, what it shares with others included, in bytes. */
  memoryBytes(): number;
  /** Ends it as an operator would, by force after ten seconds. */
  stop(): Promise<void>;
}

/** How a server is started. */
export interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder that it runs in. */
  readonly folder: string;
  readonly env?: NodeJS.ProcessEnv;
}

const STOP_WITHIN_MS = 10_000;

const LOOK_EVERY_MS = 10;

/** Linux counts processor time in hundredths of a second (USER_HZ), on every architecture that Node runs on. */
const MICROS_PER_TICK = 10_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a program whose complaints are ours; it does not outlive us. */
export function startProcess({ name, command, args, folder, env }: Start): Process {
  const stdio: ["ignore", "ignore", "inherit"] = ["ignore", "ignore", "inherit"];
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env }, stdio });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return {
    name,
    cpuMicros: () => cpuMicrosOf(requirePid(child)).own,
    memoryBytes: () => readMemoryBytes(child),
    stop: () => stop(child),
  };
}

/**
 * The processor time that all threads of a process took so far, and of its children that have ended, in microseconds. See proc(5),
 * `/proc/<pid>/stat`: user and system time are members 14 and 15, those of the children 16 and 17, and member 2 may hold blanks.
 */
export function cpuMicrosOf(pid: number): { readonly own: number; readonly ended: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const [user = 0, system = 0, endedUser = 0, endedSystem = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15)
    .map((ticks) => Number(ticks) * MICROS_PER_TICK);
  return { own: user + system, ended: endedUser + endedSystem };
}

function readMemoryBytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${requirePid(child)}/status`, "latin1");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

function requirePid({ pid, exitCode }: ChildProcess): number {
  if (pid === undefined || exitCode !== null) throw new Error("a server has ended before its time");
  return pid;
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
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`${url} was not ready in ${withinMs} ms`);
}
