import { isSpanContextValid } from "@opentelemetry/api";
import { expect } from "chai";
import { formatTraceparent, traceOf } from "../../src/base/trace.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";

describe("traceparent", () => {
  const taken: Record<string, number> = {
    [`00-${TRACE_ID}-${SPAN_ID}-01`]: 1,
    [`00-${TRACE_ID}-${SPAN_ID}-00`]: 0,
    [`00-${TRACE_ID}-${SPAN_ID}-ff`]: 3,
    [`cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-will-be-like`]: 1,
    [`cc-${TRACE_ID}-${SPAN_ID}-01`]: 1,
  };
  for (const [header, traceFlags] of Object.entries(taken)) {
    it(`continues ${header}`, () => {
      expect(traceOf(header)).to.deep.equal({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags, isRemote: true });
    });
  }

  const invalid = [
    undefined,
    "",
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-01-more`,
    `00-${"0".repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-1`,
    `cc-${TRACE_ID}-${SPAN_ID}-01.more`,
    `00-${TRACE_ID}-${SPAN_ID}-01, 00-${TRACE_ID}-${SPAN_ID}-01`,
  ];
  for (const header of invalid) {
    it(`begins a new trace, unsampled, instead of ${header === undefined ? "none" : `"${header}"`}`, () => {
      const trace = traceOf(header);
      expect(isSpanContextValid(trace)).to.equal(true);
      expect(trace.traceId).not.to.equal(TRACE_ID);
      expect(trace.traceFlags).to.equal(0);
    });
  }

  it("is written as it was read", () => {
    for (const flags of ["00", "01", "03"]) {
      const header = `00-${TRACE_ID}-${SPAN_ID}-${flags}`;
      expect(formatTraceparent(traceOf(header))).to.equal(header);
    }
  });

  it("never gives the same id twice", () => {
    const traces = Array.from({ length: 10_000 }, () => traceOf(undefined));
    expect(new Set(traces.flatMap(({ traceId, spanId }) => [traceId, spanId])).size).to.equal(20_000);
  });
});
