import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { inWholeRun } from "../support/extent.ts";
import { freePorts, until } from "../support/process.ts";
import { portSettingOf, SERVICES, type Settings, TEST_SETTINGS } from "../support/topology.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "bin/main.js");

describe("whoever stops it, it stops", () => {
  let folder: string;
  let env: Settings;
  let urls: string[];
  let started: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-stopping-"));
    const ports = await freePorts(SERVICES.length);
    urls = ports.map((port) => `http://127.0.0.1:${port}`);
    env = {
      ...TEST_SETTINGS,
      PATH: `${join(ROOT, "node_modules/.bin")}${delimiter}${process.env.PATH}`,
      HOME: folder,
      SEED: "off",
      LOG_LEVEL: "info",
      DATA_DIR: join(folder, "data"),
      ...Object.fromEntries(SERVICES.map((service, n) => [portSettingOf(service), `${ports[n]}`])),
    };
  });
  afterEach(async () => {
    for (const { pid } of started) if (pid !== undefined) kill(-pid, "SIGKILL");
    started = [];
    await rm(folder, { recursive: true, force: true, maxRetries: 10 }); // what was killed may just have made a file
  });

  /** In a process group of its own, as a shell starts what is typed. */
  function launch(command: readonly string[], stdio: "pipe" | "ignore" = "ignore"): ChildProcess {
    const [program = "", ...args] = command;
    const child = spawn(program, args, { cwd: ROOT, env, detached: true, stdio: ["ignore", stdio, stdio] });
    started.push(child);
    return child;
  }

  async function ready(): Promise<void> {
    await until("it is ready", async () => (await fetch(`${urls[0]}/readyz`).catch(() => undefined))?.status === 200);
  }

  async function allGone(): Promise<void> {
    for (const url of urls) await until(`nobody serves at ${url}`, () => isGone(url));
  }

  type Case = readonly [script: string, whom: "npm" | "all that the shell started", signal: NodeJS.Signals];
  const short: readonly Case[] = [
    ["start", "npm", "SIGTERM"],
    ["dev", "npm", "SIGHUP"],
    ["dev:four", "all that the shell started", "SIGINT"],
  ];
  const isShort = (one: Case) => short.some((other) => other.join() === one.join());
  const cases = ["start", "dev", "dev:four"].flatMap((script) =>
    (["SIGTERM", "SIGINT", "SIGHUP", "SIGKILL"] as const).flatMap((signal): Case[] =>
      signal === "SIGKILL"
        ? [[script, "npm", signal]]
        : [
            [script, "npm", signal],
            [script, "all that the shell started", signal],
          ],
    ),
  );
  for (const one of short) stops(one);
  inWholeRun("every signal to npm and to the group, for each script", () => {
    for (const one of cases) if (!isShort(one)) stops(one);
  });

  function stops([script, whom, signal]: Case): void {
    it(`npm run ${script} at ${signal} to ${whom}`, async () => {
      const npm = launch(["npm", "run", script]);
      await ready();
      const exited = once(npm, "exit");
      kill((npm.pid ?? 0) * (whom === "npm" ? 1 : -1), signal);
      await exited;
      await allGone();
    });
  }

  it("when the process that serves is asked to, with status 0, also of the watch around it", async () => {
    const dev = launch([process.execPath, MAIN, "dev"], "pipe");
    const output = collect(dev);
    await ready();
    kill(Number(/\bpid (\d+)/.exec(await (await fetch(`${urls[0]}/status`)).text())?.[1]), "SIGTERM");
    expect((await once(dev, "exit"))[0], output()).to.equal(0);
    await allGone();
  });

  it("at any moment of its start, and before its first line by the signal itself", async () => {
    for (const ms of [0, 40, 80, 120, 160, 200, 250, 300, 400, 500]) {
      const serving = launch([process.execPath, MAIN], "pipe");
      const output = collect(serving);
      await once(serving, "spawn");
      await sleep(ms);
      serving.kill("SIGTERM");
      const [code, signal] = (await once(serving, "exit")) as [number | null, NodeJS.Signals | null];
      expect(signal ?? code, `after ${ms} ms: ${output()}`).to.be.oneOf([0, "SIGTERM"]);
      if (output() !== "") expect(code, output()).to.equal(0);
      await allGone();
    }
  });

  it("by a signal of its start that comes before the configuration is read", async () => {
    const source = `process.on("newListener", (name) => {
      if (name === "SIGTERM") setImmediate(() => process.kill(process.pid, name));
    });`;
    const preload = `data:text/javascript,${encodeURIComponent(source)}`;
    const serving = launch([process.execPath, "--import", preload, MAIN], "pipe");
    const output = collect(serving);
    expect((await once(serving, "exit"))[0], output()).to.equal(0);
    expect(output()).to.include("SIGTERM: stopped before it was ready");
  });

  it("when it is told twice, as by a second Ctrl-C, with a request under way", async () => {
    const serving = launch([process.execPath, MAIN], "pipe");
    await ready();
    const pending = fetch(`${urls[0]}/products?limit=1`).catch(() => undefined);
    serving.kill("SIGINT");
    serving.kill("SIGINT");
    expect((await once(serving, "exit"))[0]).to.equal(0);
    await pending;
  });

  it("when nobody reads any more what it prints, as after | head -1", async () => {
    for (const script of ["dev", "dev:four"]) {
      const piped = launch(["sh", "-c", `npm run ${script} | head -1`]);
      expect((await once(piped, "exit"))[0], script).to.equal(0);
      await allGone();
    }
  });

  it("while what it prints fills a pipe that nobody reads, and serves until then", async () => {
    env = { ...env, LOG_LEVEL: "trace" };
    const serving = launch([process.execPath, MAIN], "pipe");
    await ready();
    for (let n = 0; n < 1_500; n++) await (await fetch(`${urls[0]}/products?limit=1`)).text();
    serving.kill("SIGTERM");
    expect((await once(serving, "exit"))[0]).to.equal(0);
  });

  it("when its terminal goes away", async () => {
    const terminal = launch(["script", "--quiet", "--command", `"${process.execPath}" "${MAIN}"`, "/dev/null"], "pipe");
    await ready();
    terminal.kill("SIGKILL");
    await allGone();
  });
});

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended
  }
}

function collect(child: ChildProcess): () => string {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return () => output;
}

function isGone(url: string): Promise<boolean> {
  return fetch(`${url}/livez`).then(
    () => false,
    () => true,
  );
}
