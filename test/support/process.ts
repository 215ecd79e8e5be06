import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Twice what the product allows itself for a stop. */
const STOP_WITHIN_MS = 20_000;
const READY_WITHIN_MS = 60_000;

export interface Exit {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A real process of the product. */
export interface ShopProcess {
  readonly pid: number;
  /** What it has printed so far, on both streams. */
  output(): string;
  /** Settles when it has ended, however that came. */
  readonly exited: Promise<Exit>;
  readonly running: boolean;
  /** Whether it runs, or how it has ended, in words. */
  readonly state: string;
  /** SIGTERM, as an operator does it. Resolves how it ended; after 20 seconds it is killed. */
  terminate(): Promise<Exit>;
  /** SIGKILL: it has no say in it. */
  kill(): Promise<Exit>;
}

export interface ShopProcessOptions {
  /** Settings as environment variables; nothing of this process's own environment gets through but the path. */
  readonly env: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Where it runs: a folder without a `.env` file. */
  readonly cwd: string;
  /** A module that Node loads before the product. */
  readonly preload?: URL;
  /** The folder of the code that it runs, by default this repository. */
  readonly code?: string;
}

/** Starts the product's own main file with Node. */
export function startShopProcess({ env, args = [], cwd, preload, code = ROOT }: ShopProcessOptions): ShopProcess {
  const nodeArgs = preload === undefined ? [] : ["--import", preload.href];
  const program = join(code, code === ROOT ? "bin/main.js" : "src/main.ts"); // older code has no other
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = once(child, "close").then(([code, signal]): Exit => ({ code, signal }));
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  exited.finally(() => process.off("exit", killWithUs));
  return {
    pid: child.pid ?? 0,
    output: () => output,
    exited,
    get running() {
      return child.exitCode === null && child.signalCode === null;
    },
    get state() {
      return this.running ? "runs" : `has ended (${child.signalCode ?? `status ${child.exitCode}`})`;
    },
    async terminate() {
      child.kill("SIGTERM");
      const timer = setTimeout(killWithUs, STOP_WITHIN_MS);
      return exited.finally(() => clearTimeout(timer));
    },
    kill() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}

/**
 * Waits until `/readyz` of a URL answers 200.
 * @param needed the processes that this takes
 * @param path asked instead of that
 * @throws Error with what a process printed, when one has ended or the time is up
 */
export async function untilReady(url: string, needed: readonly ShopProcess[], path = "/readyz"): Promise<void> {
  const endMs = performance.now() + READY_WITHIN_MS;
  while (performance.now() < endMs && needed.every(({ running }) => running)) {
    const answer = await fetch(`${url}${path}`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(25);
  }
  const told = needed.map((each) => `${each.state}, printed:\n${each.output()}`).join("\n");
  throw new Error(`${url} is not ready; its processes: ${told}`);
}

/** Waits until something is so, by asking again and again. @throws Error that says what was waited for */
export async function until(what: string, isSo: () => Promise<boolean> | boolean, withinMs = 60_000): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await isSo())) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await sleep(10);
  }
}

const FIRST_PORT = 20_000;
const PORTS = 12_000;
/** No two of Mocha's workers take the same: each goes in steps of as many from a place of its own. */
const WORKERS = 16;
const ownPlace = Number(process.env.MOCHA_WORKER_ID ?? 0) % WORKERS;
let nextPort = Math.floor((Math.random() * PORTS) / WORKERS) * WORKERS + ownPlace;

/**
 * Ports of this machine that nobody listens on now. They lie below those that the system gives to outgoing
 * connections, so that none of these takes one before it is listened on; nor is one given to a second who asks before that.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = FIRST_PORT + (nextPort % PORTS);
    nextPort += WORKERS;
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, "127.0.0.1"), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
