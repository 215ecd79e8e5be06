import { expect } from "chai";
import pino from "pino";
import { createOutage } from "../../src/bus/outage.ts";

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
});
