import { expect } from "chai";
import { Redis } from "ioredis";
import { createBroadcasts, writeBroadcast } from "../../src/bus/broadcasts.ts";
import { createRedisBus } from "../../src/bus/redis/bus.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { silent, until } from "./modules.ts";

/** What anybody who can write to Redis may say. */
const UNREADABLE = ["not json", "", "null", "{}", "1", "[]", "[1]", '["spans"', '["error","x"]', '["newListener",1]'];

describe("broadcasts", () => {
  it("are heard by who listens to their topic", () => {
    const broadcasts = createBroadcasts(silent);
    const heard: unknown[] = [];
    broadcasts.on("spans", (message) => heard.push(message));
    broadcasts.deliverText(writeBroadcast("spans", { one: 1 }));
    broadcasts.deliverText(writeBroadcast("others", { two: 2 }));
    expect(heard).to.deep.equal([{ one: 1 }]);
  });

  for (const text of UNREADABLE) {
    it(`are left out when they say ${JSON.stringify(text)}`, () => {
      const broadcasts = createBroadcasts(silent);
      broadcasts.on("spans", () => expect.fail("nobody said this"));
      broadcasts.deliverText(text);
    });
  }

  describe("through Redis", () => {
    let redis: TestRedis;
    before(async () => {
      redis = await startRedis();
    });
    after(() => redis.stop());

    it("go on after what nobody can read", async () => {
      const keyPrefix = `broadcasts-${process.pid}:`;
      const bus = createRedisBus({ url: redis.url, logger: silent, keyPrefix, subscribers: {} });
      const channel = `${keyPrefix}broadcast:spans`;
      await bus.start();
      const stranger = new Redis(redis.url);
      const heard: unknown[] = [];
      bus.onBroadcast("spans", (message) => heard.push(message));
      await until("it listens", async () => Number(await stranger.publish(channel, "null")) > 0);
      for (const text of UNREADABLE) await stranger.publish(channel, text);
      await until("what can be read is heard", () => {
        bus.broadcast("spans", "still here");
        return heard.length > 0;
      });
      expect(heard[0]).to.equal("still here");
      stranger.disconnect();
      await bus.stop(0);
    });
  });
});
