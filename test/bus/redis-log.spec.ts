import { expect } from "chai";
import { Redis } from "ioredis";
import type { LogReplica } from "../../src/bus/log-replica.ts";
import { createRedisReplica, createRedisSource } from "../../src/bus/redis/log.ts";
import type { LogEntry, Position } from "../../src/store/store.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { createRandom, type Random } from "./simulation/random.ts";
import { createScheduler } from "./simulation/scheduler.ts";
import { createSimulatedRedis } from "./simulation/simulated-redis.ts";

const KEY_PREFIX = `test-log-${process.pid}:`;
const STREAM = `${KEY_PREFIX}log:orders`;

function rowsFrom(random: Random, head: Position | undefined): LogEntry[] {
  const firstSeq = (head?.seq ?? 0) + random.integer(0, 2);
  const epoch = random.pick(["a", "b", "007", "1e3"]);
  const size = random.integer(0, 5);
  return Array.from({ length: size }, (_, index) => ({
    seq: firstSeq + index,
    epoch,
    previousEpoch: index === 0 ? (head?.epoch ?? "") : epoch,
    event: JSON.stringify({ text: "é\u0000\n", number: index }),
  }));
}

/** A call as relays make them, also such as come late: what is expected may be long gone. */
function randomCall(random: Random, head: Position | undefined): (replica: LogReplica) => Promise<unknown> {
  const old = { seq: random.integer(1, 20), epoch: random.pick(["a", "b", "007"]) };
  const expected = random.chance(0.7) ? head : random.pick([undefined, old]);
  const seq = random.integer(1, head?.seq ?? 1);
  if (random.chance(0.2)) return (replica) => replica.trim(expected ?? old, seq);
  if (random.chance(0.1)) return (replica) => replica.reportOrigin(seq, "database");
  const rebuild = random.chance(0.2);
  const rows = rowsFrom(random, rebuild ? undefined : head).filter((row) => row.seq > 0);
  return (replica) => replica.append(expected, rows, rebuild);
}

/** What a call answers or how it fails, without the words of it. */
function outcome(call: Promise<unknown>): Promise<unknown> {
  return call.catch(() => "refused");
}

describe("a publisher's stream in Redis", () => {
  let server: TestRedis;
  let redis: Redis;

  before(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });

  after(async () => {
    await redis.del(STREAM, `${STREAM}:reports`);
    redis.disconnect();
    await server.stop();
  });

  it("does as the simulated one, whatever is asked of it", async () => {
    const random = createRandom(1);
    const scheduler = createScheduler();
    const simulated = createSimulatedRedis(scheduler, random);
    const replicas = [
      createRedisReplica({ keyPrefix: KEY_PREFIX, publisher: "orders", commands: redis }),
      simulated.replica("orders", scheduler.after),
    ];
    const both = async (ask: (replica: LogReplica) => Promise<unknown>) => {
      const [real, model] = replicas.map((replica) => outcome(ask(replica)));
      await scheduler.runUntil(scheduler.now() + 100);
      expect(await model).to.deep.equal(await real);
    };
    for (let step = 0; step < 1_000; step += 1) {
      const { head } = await (replicas[0] as LogReplica).ends();
      await both(randomCall(random, head));
      if (random.chance(0.02)) {
        await redis.xtrim(STREAM, "MAXLEN", 0);
        simulated.empty();
      }
      await both((replica) => replica.ends());
      await both((replica) => replica.reports());
    }
  });

  it("hands over rows as they were, from any row on", async () => {
    await redis.del(STREAM);
    const commands = redis;
    const reader = new Redis(server.url);
    const rows = rowsFrom(createRandom(7), { seq: 40, epoch: "a" });
    const options = { keyPrefix: KEY_PREFIX, publisher: "orders", commands };
    await createRedisReplica(options).append(undefined, rows, false);
    const source = createRedisSource({ ...options, reader });
    expect(rows.length).to.be.above(2);
    expect(await source.read(0, 100)).to.deep.equal(rows);
    expect(await source.read(rows[0]?.seq ?? 0, 1)).to.deep.equal(rows.slice(1, 2));
    expect(await source.head()).to.deep.equal({ seq: rows.at(-1)?.seq, epoch: rows.at(-1)?.epoch });
    await source.report("products", { seq: 42, epoch: "a:b" });
    const reported = async () => (await createRedisReplica(options).reports()).positions.get("products");
    const first = await reported();
    expect(first).to.include({ seq: 42, epoch: "a:b" });
    await source.report("products", { seq: 42, epoch: "a:b" });
    expect((await reported())?.beat, "each report is another").to.not.equal(first?.beat);
    reader.disconnect();
  });
});
