import { expect } from "chai";
import { isProblem, Problem } from "../../src/base/problem.ts";
import { problemTypes } from "../../src/base/problem-types.ts";
import { defineContract } from "../../src/contract/contract.ts";

const empty = { operations: {}, events: {} };
const teas = defineContract({ ...empty, name: "teas", problems: { "too-hot": "conflict" } });

describe("the problems of a contract", () => {
  it("are made and known again by the names that it declares", () => {
    const problem = teas.problem("too-hot", "Let it stand.", { extensions: { degrees: 90 } });
    expect(problem).to.be.instanceOf(Problem);
    expect(problem).to.include({ code: "too-hot", status: 409, title: "Too hot", message: "Let it stand." });
    expect(problem.options.extensions).to.deep.equal({ degrees: 90 });
    expect([teas.isProblem(problem, "too-hot"), isProblem(problem), isProblem(problem, "not-found")]).to.deep.equal([
      true,
      true,
      false,
    ]);
    expect(teas.isProblem(new Problem("not-found", "There is none."), "too-hot")).to.equal(false);
  });

  it("do not compile with another name, and are internal if they are made all the same", () => {
    // @ts-expect-error: nobody declares it
    expect(teas.problem("too-cold", "Warm it.").code).to.equal("internal");
    // @ts-expect-error: it is not the kit's
    expect(isProblem(teas.problem("too-hot", "Let it stand."), "too-hot")).to.equal(true);
    // @ts-expect-error: it is not the kit's
    expect(new Problem("too-hot", "Let it stand.").code).to.equal("internal");
  });

  it("cannot give a name another status than it has elsewhere", () => {
    const declare = () => defineContract({ ...empty, name: "odd", problems: { "not-found": "conflict" } });
    expect(declare).to.throw("problem not-found is 404, not 409");
    expect(() => problemTypes(teas.problems, { "too-hot": "too-many" })).to.throw("problem too-hot is 409, not 429");
    expect(problemTypes(teas.problems, { "too-hot": "conflict" }).get("too-hot")?.status).to.equal(409);
  });
});
