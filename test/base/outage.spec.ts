import { expect } from "chai";
import pino from "pino";
import { createOutage } from "../../src/base/outage.ts";

describe("an outage", () => {
  let nowMs: number;
  let lines: string[];

  function create() {
    const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
    return createOutage({ what: "Redis", logger, clock: { now: () => nowMs, after: () => () => {} } });
  }

  beforeEach(() => {
    nowMs = 0;
    lines = [];
  });

  it("is told of once, and when it is over", () => {
    const outage = create();
    for (let tries = 0; tries < 50; tries += 1) outage.failed(new Error("connection refused"));
    expect(outage.reason()).to.equal("connection refused");
    outage.worked();
    outage.worked();
    expect(outage.reason()).to.equal(undefined);
    expect(lines).to.deep.equal(["Redis does not work; it is tried again until it does", "Redis works again"]);
  });

  it("fills at most ten lines a minute, also when it comes and goes", () => {
    const outage = create();
    for (; nowMs < 60_000; nowMs += 10) {
      outage.failed(new Error("connection refused"));
      outage.worked();
    }
    expect(lines.length).to.be.within(2, 10);
  });

  it("goes on being told of while it lasts", () => {
    const outage = create();
    for (; nowMs < 60_000; nowMs += 10) outage.failed(new Error("connection refused"));
    expect(lines.length).to.be.within(2, 10);
  });

  it("keeps its cause, not what a library says of everything that follows from it", () => {
    const outage = create();
    outage.failed(
      new Error('Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest".'),
    );
    expect(outage.reason()).to.equal("the connection is closed");
    outage.failed(new Error("connect ECONNREFUSED 127.0.0.1:6379"));
    for (const consequence of [
      'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.',
      "Connection is closed.",
      "Stream isn't writeable and enableOfflineQueue options is false",
    ]) {
      outage.failed(new Error(consequence));
      expect(outage.reason()).to.equal("connect ECONNREFUSED 127.0.0.1:6379");
    }
    for (const silence of ["Command timed out", "Socket timeout. Expecting data, but didn't receive any in 3000ms."]) {
      outage.failed(new Error(silence));
      expect(outage.reason()).to.equal("does not answer in time");
    }
  });
});
