import { expect } from "chai";
import { z } from "zod";
import { operation } from "../../src/contract/contract.ts";
import { fourProcesses, oneProcess } from "../support/topology.ts";
import { type Attempt, CALLERS, faultOf, runMatrix } from "./matrix.ts";
import { sampleInput } from "./sample.ts";
import { startTarget } from "./target.ts";

describe("nobody gets what is not theirs", () => {
  for (const topology of [oneProcess, fourProcesses]) {
    it(`in ${topology.name}: every operation × ${CALLERS.join(", ")}`, async () => {
      const target = await startTarget(topology, {});
      try {
        const attempts = await runMatrix(target);
        print(topology.name, attempts);
        const faults = attempts.flatMap((attempt) => {
          const fault = faultOf(attempt);
          return fault === undefined ? [] : [`${attempt.operation} at ${attempt.door} as ${attempt.caller}: ${fault}`];
        });
        expect(faults).to.deep.equal([]);
      } finally {
        await target.stop();
      }
    });
  }

  describe("the matrix itself", () => {
    const answer = (status: number) => ({ status, headers: {}, body: {} });
    const attempt: Attempt = {
      door: "gateway",
      operation: "GET /x/{id}",
      access: "user",
      caller: "customer B",
      isOfA: true,
      answer: answer(404),
      tellsOfA: false,
    };

    it("finds whoever is let in without being entitled", () => {
      expect(faultOf(attempt)).to.equal(undefined);
      expect(faultOf({ ...attempt, answer: answer(200) })).to.match(/customer A's/);
      expect(faultOf({ ...attempt, isOfA: false, answer: answer(200), tellsOfA: true })).to.match(/tells of/);
      expect(faultOf({ ...attempt, caller: "anonymous", answer: answer(404) })).to.equal("404 instead of 401");
      expect(faultOf({ ...attempt, caller: "forged", answer: answer(200) })).to.equal("200 instead of 401");
      expect(faultOf({ ...attempt, access: "public", caller: "forged", answer: answer(200) })).to.equal(undefined);
      expect(faultOf({ ...attempt, access: "public", caller: "forged", answer: answer(200), tellsOfA: true })).to.match(
        /tells of/,
      );
      expect(faultOf({ ...attempt, access: "admin", caller: "customer A", answer: answer(200) })).to.equal(
        "200 instead of 403",
      );
    });

    it("says of which new operation it can make no input", () => {
      const input = z.strictObject({ colour: z.string().regex(/^#[0-9a-f]{6}$/) });
      const paint = operation({
        method: "POST",
        path: "/paint",
        access: "user",
        summary: "",
        input,
        output: z.object({}),
        problems: [],
      });
      expect(() => sampleInput("POST /paint", paint, {})).to.throw("no sample can be made of POST /paint.colour");
    });
  });
});

/** Operations × callers, with the statuses of each: through all doors, about all subjects. */
function print(topology: string, attempts: readonly Attempt[]): void {
  const operations = [...new Set(attempts.map((attempt) => attempt.operation))];
  const rows = operations.map((name) => [
    name,
    ...CALLERS.map((caller) => {
      const own = attempts.filter((attempt) => attempt.operation === name && attempt.caller === caller);
      return [...new Set(own.map(({ answer }) => answer.status))].sort().join(" ");
    }),
  ]);
  const table = [["", ...CALLERS], ...rows];
  const widths = ["", ...CALLERS].map((_, at) => Math.max(...table.map((cells) => (cells[at] ?? "").length)));
  console.log();
  for (const cells of table) console.log(`    ${cells.map((text, at) => text.padEnd(widths[at] ?? 0)).join("  ")}`);
  const unexpected = attempts.filter((attempt) => faultOf(attempt) !== undefined && attempt.answer.status < 300).length;
  console.log(`\n    ${topology}: ${attempts.length} calls, unexpected 2xx: ${unexpected}\n`);
}
