import { expect } from "chai";
import { parseRateLimit } from "../../src/gateway/rate-limit-setting.ts";

describe("the setting of a rate limit", () => {
  it("is a number of requests in a number of seconds", () => {
    expect(parseRateLimit("100/60s")).to.deep.equal({ max: 100, windowMs: 60_000 });
    expect(parseRateLimit("1/86400s")).to.deep.equal({ max: 1, windowMs: 86_400_000 });
  });

  it("may be off", () => expect(parseRateLimit("off")).to.equal("off"));

  for (const text of [
    "",
    "100",
    "100/60",
    "0/60s",
    "100/0s",
    "-1/60s",
    "1.5/60s",
    "100/86401s",
    "100/1m",
    "on",
    " off",
  ]) {
    it(`refuses "${text}" and says what is expected`, () => {
      expect(() => parseRateLimit(text)).to.throw(`"${text}" is not a limit such as 100/60s`);
    });
  }
});
