import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { Canonical } from "../parity/canonical.ts";
import { ask, missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { freePorts, startShopProcess, untilReady } from "../support/process.ts";
import { type RedisServer, startRedisServer } from "../support/redis.ts";
import { twoOfEach } from "../support/replicas.ts";
import { placesOf, SERVICES, type Settings } from "../support/topology.ts";
import { commandsOf } from "./commands.ts";
import { patiently } from "./patiently.ts";

const run = promisify(execFile);

/** Cheap passwords, and time for a slow machine; all else is as for whoever types it. */
const SETTINGS = { BCRYPT_COST: "4", CALL_TIMEOUT: "20000", LOG_LEVEL: "warn" };

/** Keeps each answer with its status, a line each, beside what the page does with it. */
const KEEPING = `curl() { command curl -w '\\n%{http_code}\\n' "$@" | tee -a answers | sed '$d'; }`;

describe("the README's walk with curl, with DATABASE_URL set", () => {
  let postgres: PostgresServer;
  let redis: RedisServer;
  let folder: string;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    folder = await mkdtemp(join(tmpdir(), "quartet-walk-"));
    [postgres, redis] = await Promise.all([startPostgresServer(), startRedisServer()]);
  });
  after(async () => {
    await Promise.all([postgres?.stop(), redis?.stop()]);
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  /** Takes the walk through the shop at a port. Resolves all answers, in canonical form. */
  async function walkAt(port: string): Promise<unknown[]> {
    const cwd = await mkdtemp(join(folder, "walk-"));
    const typed = patiently(commandsOf("README.md", ["The same with curl"]));
    const script = ["set -euo pipefail", KEEPING, typed].join("\n");
    await run("bash", ["-c", script], { cwd, env: { ...process.env, PORT: port } });
    return canonical(await readFile(join(cwd, "answers"), "utf8"));
  }

  /** Takes it through a shop that `npm run dev` or `npm run dev:four` starts. */
  async function walk(command: "dev" | "four", settings: Settings = {}): Promise<unknown[]> {
    const cwd = await mkdtemp(join(folder, `${command}-`));
    const ports = await freePorts(SERVICES.length);
    const places = placesOf(SERVICES.map((service, at) => [service, ports[at] ?? 0]));
    const shop = startShopProcess({ env: { ...SETTINGS, ...places, ...settings }, args: [command], cwd });
    try {
      await untilReady(`http://127.0.0.1:${places.PORT}`, [shop]);
      return await walkAt(`${places.PORT}`);
    } finally {
      await shop.terminate();
    }
  }

  /** Takes it through two of each: what stands before the gateways gives each curl to the next one. */
  async function walkThroughReplicas(): Promise<unknown[]> {
    const shop = await twoOfEach.start(SETTINGS);
    try {
      return await walkAt(new URL(shop.url).port);
    } finally {
      await shop.stop();
    }
  }

  it("answers as it does with files, in one process, in four and in two of each", async () => {
    const databases = [await postgres.createDatabase(), await postgres.createDatabase()] as const;
    const [inFiles, one, four] = await Promise.all([
      walk("dev"),
      walk("dev", { DATABASE_URL: databases[0] }),
      walk("four", { DATABASE_URL: databases[1], REDIS_URL: redis.url }),
    ]);
    expect(inFiles.filter((_, at) => at % 2 === 1)).to.deep.equal([201, 200, 200, 201, 200, 200]);
    expect(inFiles).to.have.nested.property("[8].status", "confirmed");
    expect(one).to.deep.equal(inFiles);
    expect(four).to.deep.equal(inFiles);
    expect(await walkThroughReplicas()).to.deep.equal(inFiles);
    for (const url of databases) {
      expect(await ask(url, "SELECT status FROM orders.orders")).to.deep.equal([{ status: "confirmed" }]);
    }
  });
});

/** Answers and statuses in turn, with names for what is drawn anew each time; the address is the walk's own to draw. */
function canonical(answers: string): unknown[] {
  const names = new Canonical();
  const lines = answers
    .replace(/ada-\d+-\d+@/g, "ada@")
    .trim()
    .split("\n");
  return lines.map((line) => names.of(JSON.parse(line)));
}
