import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { Redis } from "ioredis";
import Koa, { type Context } from "koa";
import { pino } from "pino";
import { problemHeaders } from "../../src/call/problem-body.ts";
import { createRateLimit, type RateLimit, rateLimited, writeRateHeaders } from "../../src/gateway/rate-limit.ts";
import { createMemoryWindows } from "../../src/gateway/rate-windows.ts";
import { until } from "../support/process.ts";

const MAX = 5;
const WINDOW_MS = 10_000;
/** A machine that stands still is no outage of Redis: only where that is the subject it counts as one so soon as in production. */
const ANSWER_MS = 30_000;
const START_MS = Date.parse("2030-01-01T00:00:00.250Z");

describe("the rate limit", () => {
  let folder: string;
  let server: ChildProcess;
  let redis: Redis;
  let nowMs = START_MS;
  /** How far the clock has been set ahead. */
  let aheadMs = 0;
  const lines: string[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => lines.push(line) });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-rate-"));
    const path = join(folder, "redis.sock");
    server = spawn("redis-server", ["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder]);
    for await (const chunk of server.stdout ?? []) if (String(chunk).includes("ready to accept")) break;
    redis = new Redis({ path });
    redis.on("error", () => {}); // told by the limiter
  });

  after(async () => {
    redis.disconnect();
    server.kill("SIGCONT");
    server.kill();
    await once(server, "exit");
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    nowMs = START_MS;
    aheadMs = 0;
    lines.splice(0);
    await redis.flushall();
  });

  const clocks = { now: () => nowMs + aheadMs, steadyNow: () => nowMs };

  function make(kind: "memory" | "redis", name = "default", limit = { max: MAX, windowMs: WINDOW_MS }): RateLimit {
    const counted = kind === "redis" ? redis : undefined;
    return createRateLimit({ limit, name, redis: counted, answerMs: ANSWER_MS, ...clocks, logger });
  }

  for (const kind of ["memory", "redis"] as const) {
    describe(`counted in ${kind === "redis" ? "Redis" : "memory"}`, () => {
      it("tells what is left, in the usual headers and in those of the draft", async () => {
        expect(await ask(make(kind), "a")).to.deep.equal({
          status: 200,
          "x-ratelimit-limit": "5",
          "x-ratelimit-remaining": "4",
          "x-ratelimit-reset": String(Math.floor(START_MS / 1000) + 10),
          "ratelimit-policy": '"default";q=5;w=10',
          ratelimit: '"default";r=4;t=10',
        });
      });

      it("refuses what exceeds the maximum until the window ends, however often it is asked", async () => {
        const limit = make(kind);
        for (let i = 0; i < MAX; i++) expect((await limit.count("a")).allowed).to.equal(true);
        for (nowMs = START_MS; nowMs < START_MS + 9000; nowMs += 1000) {
          expect((await limit.count("a")).allowed).to.equal(false);
        }
        nowMs = START_MS + WINDOW_MS;
        expect(await limit.count("a")).to.include({ allowed: true, remaining: MAX - 1 });
      });

      it("asks to wait for a second at least", async () => {
        const limit = make(kind, "default", { max: 1, windowMs: WINDOW_MS });
        await limit.count("a");
        nowMs = START_MS - (START_MS % 1000) + WINDOW_MS - 1;
        expect(await ask(limit, "a")).to.include({ status: 429, "retry-after": "1", ratelimit: '"default";r=0;t=1' });
      });

      it("lets exactly the maximum in when more come at once", async () => {
        const limit = make(kind, "default", { max: 100, windowMs: WINDOW_MS });
        const states = await Promise.all(Array.from({ length: 250 }, () => limit.count("a")));
        expect(states.filter((state) => state.allowed)).to.have.length(100);
      });

      it("counts callers, and limits of other names, apart", async () => {
        const limit = make(kind);
        for (let i = 0; i <= MAX; i++) await limit.count("a");
        expect((await limit.count("a")).allowed).to.equal(false);
        expect((await limit.count("b")).remaining).to.equal(MAX - 1);
        expect((await make(kind, "sign-in").count("a")).remaining).to.equal(MAX - 1);
      });

      for (const [where, stepMs] of [
        ["ahead", 86_400_000],
        ["back", -86_400_000],
      ] as const) {
        it(`opens no window, and prolongs none, when the clock is set ${where}, and tells the end by the clock as it is`, async () => {
          const limit = make(kind);
          for (let i = 0; i <= MAX; i++) await limit.count("a");
          aheadMs = stepMs;
          const resetAtSeconds = Math.floor((START_MS + stepMs) / 1000) + 10;
          expect(await limit.count("a")).to.include({ allowed: false, resetInSeconds: 10, resetAtSeconds });
          nowMs += WINDOW_MS;
          expect(await limit.count("a")).to.include({ allowed: true, remaining: MAX - 1, resetInSeconds: 10 });
        });
      }
    });
  }

  it("answers the same in memory and in Redis, header for header", async () => {
    const steps = Array.from({ length: 300 }, (_, i) => ({
      caller: `caller-${(i * 7) % 3}`,
      advanceMs: [0, 0, 130, 0, 999, 1, 0, 0, 2500, 0][i % 10] ?? 0,
    }));
    const transcripts = { memory: [] as unknown[], redis: [] as unknown[] };
    for (const kind of ["memory", "redis"] as const) {
      nowMs = START_MS;
      const limit = make(kind);
      for (const { caller, advanceMs } of steps) {
        nowMs += advanceMs;
        transcripts[kind].push(await ask(limit, caller));
      }
    }
    expect(transcripts.redis).to.deep.equal(transcripts.memory);
    const refused = transcripts.memory.filter((answer) => (answer as { status: number }).status === 429);
    expect(refused.length).to.be.within(50, 250);
    expect(lines).to.deep.equal([]);
  });

  it("is one limit for two gateways on one Redis whose clocks differ", async () => {
    const limits = [0, 86_400_000].map((ms) => {
      return createRateLimit({
        limit: { max: MAX, windowMs: WINDOW_MS },
        name: "default",
        redis,
        now: () => nowMs + ms,
        steadyNow: () => nowMs + ms,
        answerMs: ANSWER_MS,
        logger,
      });
    });
    const states = [];
    for (let i = 0; i < 20; i++) states.push(await limits[i % 2]?.count("a"));
    // The first that is ahead opens a window of its own, once.
    expect(states.filter((state) => state?.allowed)).to.have.length(MAX + 1);
    for (const state of states) expect(state?.resetInSeconds).to.be.at.most(WINDOW_MS / 1000);
  });

  it("leaves nothing in Redis that does not expire", async () => {
    const limit = make("redis");
    for (let i = 0; i < 20; i++) await limit.count(`caller-${i % 3}`);
    const keys = await redis.keys("*");
    expect(keys).to.have.length(3);
    for (const key of keys) expect(await redis.pttl(key)).to.be.within(1, WINDOW_MS);
  });

  it("counts in memory while Redis hangs, on from what Redis had counted, and in Redis again when it answers", async () => {
    const limit = createRateLimit({
      limit: { max: MAX, windowMs: WINDOW_MS },
      name: "default",
      redis,
      ...clocks,
      logger,
    });
    for (let i = 0; i < 3; i++) await limit.count("a");
    server.kill("SIGSTOP");
    try {
      const states = await Promise.all(Array.from({ length: 20 }, () => limit.count("a")));
      expect(states.filter((state) => state.allowed)).to.have.length(MAX - 3);
      for (let i = 0; i < MAX - 1; i++) await limit.count("met meanwhile");
      for (let i = 0; i < 200; i++) await limit.count(`other-${i}`);
      await sleep(600);
      await limit.count("a"); // the time has come to try it: in vain
    } finally {
      server.kill("SIGCONT");
    }
    expect(lines).to.have.length(1);
    const key = "rate:default:late";
    while ((await redis.exists(key)) === 0) {
      await limit.count("late");
      await sleep(20);
    }
    expect((await limit.count("a")).allowed, "what was used up stays so").to.equal(false);
    let counted = MAX - 1;
    // A machine that stands still may be taken for an outage once more, until Redis is tried again.
    await until("that one is counted in Redis", async () => {
      expect((await limit.count("met meanwhile")).remaining, "and what was counted counts").to.equal(0);
      counted += 1;
      return (await redis.exists("rate:default:met meanwhile")) === 1;
    });
    expect(Number(await redis.hget("rate:default:met meanwhile", "requests"))).to.equal(counted);
    expect(lines).to.have.length(1);
  });

  it("counts in memory when there never was a Redis", async () => {
    const absent = new Redis({ path: join(folder, "absent.sock") });
    absent.on("error", () => {});
    const limit = createRateLimit({
      limit: { max: MAX, windowMs: WINDOW_MS },
      name: "default",
      redis: absent,
      ...clocks,
      logger,
    });
    for (let i = 1; i <= 50; i++) expect((await limit.count("a")).allowed).to.equal(i <= MAX);
    expect(lines).to.have.length(1);
    absent.disconnect();
  });

  it("forgets the oldest windows of a flood rather than keep them all", () => {
    const windows = createMemoryWindows({ windowSeconds: 60, ...clocks }, 1000);
    const requests = (caller: string) => (windows.count(caller) as { requests: number }).requests;
    requests("first");
    for (let i = 0; i < 400; i++) requests(`few-${i}`);
    expect(requests("first")).to.equal(2);
    for (let i = 0; i < 1000; i++) requests(`flood-${i}`);
    expect(requests("first")).to.equal(1);
  });

  it("counts a window on while others expire around it", () => {
    const windows = createMemoryWindows({ windowSeconds: 10, ...clocks });
    const requests = (caller: string) => (windows.count(caller) as { requests: number }).requests;
    requests("early");
    nowMs += 9000;
    requests("late");
    nowMs += 2000;
    expect(requests("early")).to.equal(1);
    nowMs += 7000;
    expect(requests("late")).to.equal(2);
  });
});

/** What a client sees of the limit: the status and every header of it. */
async function ask(limit: RateLimit, caller: string): Promise<Record<string, unknown>> {
  const koa = newContext();
  const state = await limit.count(caller);
  writeRateHeaders(koa, state);
  if (state.allowed) return { status: 200, ...koa.response.headers };
  const problem = rateLimited(state);
  koa.set(problemHeaders(problem));
  return { status: problem.status, detail: problem.message, ...koa.response.headers };
}

function newContext(): Context {
  const request = new IncomingMessage(new Socket());
  return new Koa().createContext(request, new ServerResponse(request));
}
