import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Redis } from "ioredis";
import type { Clock } from "../../src/base/clock.ts";
import { createOutage } from "../../src/base/outage.ts";
import { createPace } from "../../src/base/pace.ts";
import { createRedisReplica } from "../../src/bus/redis/log.ts";
import { createRelay } from "../../src/bus/relay.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import type { EventLog } from "../../src/store/store.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { openModule, publish, silent, until } from "./modules.ts";

const KEY_PREFIX = `test-relay-${process.pid}:`;
const STREAM = `${KEY_PREFIX}log:orders`;

/** No time passes: there is one look at the replica, the first, and what waits is woken or waits for ever. */
const STANDING: Clock = { now: () => 0, after: () => () => {} };

describe("a relay", () => {
  let server: TestRedis;
  let redis: Redis;
  let folder: string;
  let store: SqliteStore;
  /** From which rows on the log was read. */
  let reads: number[];
  let relaying: { told: Parameters<EventLog["onAppended"]>[0]; wake(): void; stop(): Promise<void> };

  before(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
  });
  after(async () => {
    redis.disconnect();
    await server.stop();
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "quartet-relay-"));
    store = openModule("orders", folder);
    reads = [];
    await publish(store, [1]);
    const pace = createPace(STANDING);
    const relay = createRelay({
      log: watched(store.log),
      database: store.database,
      replica: createRedisReplica({ keyPrefix: KEY_PREFIX, publisher: "orders", commands: redis }),
      subscribers: [],
      pruneWindowMs: 60_000,
      pace,
      clock: STANDING,
      outage: createOutage({ what: "Redis", logger: silent, clock: STANDING }),
    });
    const running = relay.run();
    relaying = {
      told: relay.told,
      wake: pace.wake,
      async stop() {
        pace.stop();
        await running;
      },
    };
    await until("the first row is there", () => isRelayed(1));
  });
  afterEach(async () => {
    await relaying.stop();
    await redis.del(STREAM, `${STREAM}:reports`);
    await store.close();
    rmSync(folder, { recursive: true });
  });

  function watched(log: EventLog): EventLog {
    return {
      head: () => log.head(),
      floor: () => log.floor(),
      entry: (seq) => log.entry(seq),
      prunable: (lowest, windowMs) => log.prunable(lowest, windowMs),
      prune: (seq) => log.prune(seq),
      onAppended: (listener) => log.onAppended(listener),
      readAfter(seq, limit) {
        reads.push(seq);
        return log.readAfter(seq, limit);
      },
    };
  }

  async function isRelayed(rows: number): Promise<boolean> {
    return (await redis.xlen(STREAM)) === rows;
  }

  it("reads no row from the log that it was told of, each time", async () => {
    store.log.onAppended(relaying.told);
    const before = reads.length;
    for (const number of [2, 3, 4]) {
      await publish(store, [number]);
      await until(`row ${number} is there`, () => isRelayed(number));
    }
    expect(reads.slice(before)).to.deep.equal([]);
  });

  it("reads from the log what it was woken for without being told, and what came before the rows that it is told of", async () => {
    await publish(store, [2]);
    relaying.wake();
    await until("row 2 is there", () => isRelayed(2));
    await publish(store, [3]);
    store.log.onAppended(relaying.told);
    await publish(store, [4]);
    await until("rows 3 and 4 are there", () => isRelayed(4));
  });
});
