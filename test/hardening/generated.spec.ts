import { expect } from "chai";
import { extent } from "../support/extent.ts";
import { fourProcesses, oneProcess } from "../support/topology.ts";
import { type ApiDocument, createFaultFinder, readOperations } from "./generated/document.ts";
import { play } from "./generated/play.ts";
import { startTarget } from "./target.ts";

/** `GENERATED_CALLS=20000 npx mocha test/hardening/generated.spec.ts` takes its time; GENERATED_SEED repeats a run. */
const CALLS = Number(process.env.GENERATED_CALLS ?? extent("more generated calls", 3_000, 1_000));
const SEED = Number(process.env.GENERATED_SEED ?? Math.floor(Math.random() * 2 ** 31));

describe("no input crashes it", function () {
  this.timeout(180_000 + CALLS * 100);

  for (const topology of extent("generated calls in four processes", [oneProcess, fourProcesses], [oneProcess])) {
    it(`in ${topology.name}: ${CALLS} calls made from the API's document, half of them about earlier ones`, async () => {
      console.log(`      seed ${SEED}`);
      const target = await startTarget(topology, {});
      try {
        const { statuses, succeeded, operations, faults } = await play(target, CALLS, SEED);
        const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
        console.log(`      ${counts.join(", ")}`);
        console.log(`      ${succeeded.size} of ${operations} operations answered a success; faults: ${faults.length}`);
        expect(faults, faults.slice(0, 10).join("\n")).to.have.length(0);
        // Without successes the calls would not get anywhere; dead letters there are none here to be replayed.
        expect(succeeded.size).to.be.greaterThan(operations * 0.6);
      } finally {
        await target.stop();
      }
    });
  }

  it("tells an answer that is not as documented", () => {
    const schema = {
      type: "object",
      properties: { ok: { const: true } },
      required: ["ok"],
      additionalProperties: false,
    };
    const get = { tags: ["x"], responses: { 200: { content: { "application/json": { schema } } }, 204: {}, 503: {} } };
    const document: ApiDocument = { paths: { "/x/{id}": { get } }, components: { responses: {} } };
    const [operation] = readOperations(document);
    const findFault = createFaultFinder(document);
    const fault = (status: number, body?: unknown, type = "application/json; charset=utf-8") =>
      operation && findFault(operation, { status, body, headers: { "content-type": type } });
    expect(fault(200, { ok: true })).to.equal(undefined);
    expect(fault(204)).to.equal(undefined);
    expect(fault(200, { ok: true, password_hash: "$2b$" })).to.match(/not as documented/);
    expect(fault(200, undefined)).to.match(/not as documented/);
    expect(fault(200, "ok", "text/plain")).to.match(/media type "text\/plain"/);
    expect(fault(201, { ok: true })).to.equal("status 201 is not documented");
    expect(fault(204, "x")).to.equal("a body is not documented");
    expect(fault(503)).to.equal("status 503");
  });
});
