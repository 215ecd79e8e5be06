import { expect } from "chai";
import { pino } from "pino";
import { systemClock } from "../../src/base/clock.ts";
import { createOutage } from "../../src/base/outage.ts";
import { connectRedis } from "../../src/bus/redis/connection.ts";
import { parseSentinelUrl, type Sentinels } from "../../src/bus/redis/sentinels.ts";
import { withoutSecret } from "../../src/operate/data-places.ts";
import { freePorts, until } from "../support/process.ts";

const PLAIN: Sentinels = {
  addresses: [{ host: "one", port: 26_379 }],
  name: "mymaster",
  db: 0,
  username: "",
  password: "",
  sentinelPassword: "",
  tls: false,
};

describe("the URL of sentinels", () => {
  it("has their addresses, the primary's name, its database and who signs in", () => {
    const rows: readonly (readonly [string, Sentinels])[] = [
      ["redis+sentinel://one/mymaster", PLAIN],
      ["redis+sentinel://one:26379/mymaster/", PLAIN],
      [
        "redis+sentinel://one:1,[::1]:2,three/mymaster/4",
        {
          ...PLAIN,
          db: 4,
          addresses: [
            { host: "one", port: 1 },
            { host: "::1", port: 2 },
            { host: "three", port: 26_379 },
          ],
        },
      ],
      ["redis+sentinel://:p%40ss:word@one/mymaster", { ...PLAIN, password: "p@ss:word" }],
      [
        "rediss+sentinel://shop:secret@one/mymaster?sentinel_password=other",
        { ...PLAIN, username: "shop", password: "secret", sentinelPassword: "other", tls: true },
      ],
    ];
    for (const [url, sentinels] of rows) expect(parseSentinelUrl(url), url).to.deep.equal(sentinels);
  });

  it("is none of a server, nor one that lacks something or has more", () => {
    for (const url of [
      "redis://one:6379/0",
      "redis+sentinel://one",
      "redis+sentinel://one/",
      "redis+sentinel:///mymaster",
      "redis+sentinel://one,/mymaster",
      "redis+sentinel://one:0/mymaster",
      "redis+sentinel://one:65536/mymaster",
      "redis+sentinel://one/mymaster/zero",
      "redis+sentinel://one/mymaster?password=other",
      "redis+sentinel://:%zz@one/mymaster",
    ]) {
      expect(parseSentinelUrl(url), url).to.equal(undefined);
    }
  });

  it("is shown without its passwords", () => {
    const url = "redis+sentinel://shop:secret@one:1,two:2/mymaster?sentinel_password=other";
    expect(withoutSecret(url)).to.equal("redis+sentinel://shop:***@one:1,two:2/mymaster?sentinel_password=***");
    expect(withoutSecret("redis+sentinel://one:1,two:2/mymaster")).to.equal("redis+sentinel://one:1,two:2/mymaster");
  });
});

describe("sentinels that nobody reaches", () => {
  it("are named, one by one, and tried again, and what is asked meanwhile fails", async () => {
    const [one, other] = await freePorts(2);
    const outage = createOutage({ what: "Redis", logger: pino({ level: "silent" }), clock: systemClock });
    const redis = connectRedis(`redis+sentinel://127.0.0.1:${one},127.0.0.1:${other}/mymaster`, "commands", { outage });
    try {
      expect(await redis.ping().catch((error: Error) => error.message)).to.match(/max retries per request/);
      const reason = ["no sentinel tells where mymaster is", one, other].join(".*");
      expect(outage.reason()).to.match(new RegExp(reason));
      let attempts = 0;
      redis.on("connecting", () => attempts++);
      await until("it is tried again", () => attempts > 1);
    } finally {
      redis.disconnect();
    }
  });
});
