import { expect } from "chai";
import { Problem } from "../../src/base/problem.ts";
import { traceOf } from "../../src/base/trace.ts";
import { Switch } from "../../src/call/switch.ts";
import type { CallContext } from "../../src/contract/context.ts";
import type { Callable } from "../../src/contract/contract.ts";
import { notes } from "../support/clients.ts";

type Input = Readonly<Record<string, unknown>>;

/** A place that answers when it is told to. */
class Place implements Callable {
  readonly contract = notes;
  readonly asked: { readonly name: string; readonly input: Input; answer(output: string): void }[] = [];

  call(name: string, input: Input): Promise<Record<string, unknown>> {
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>();
    this.asked.push({ name, input, answer: (output) => resolve({ output }) });
    return promise;
  }
}

describe("the switch that callers hold of a module", () => {
  let here: Place;
  let there: Place;
  let held: Switch;

  beforeEach(() => {
    here = new Place();
    there = new Place();
    held = new Switch(here);
  });

  const within = (ms: number): CallContext => ({
    principal: null,
    token: null,
    deadline: performance.now() + ms,
    requestId: "-",
    trace: traceOf(undefined),
  });

  it("leads calls to where the module is, and lets those that are under way end where they began", async () => {
    const before = held.call("addNote", { text: "one" }, within(60_000));
    held.close();
    held.lead(there);
    const after = held.call("addNote", { text: "two" }, within(60_000));
    expect(here.asked.map(({ input }) => input)).to.deep.equal([{ text: "one" }]);
    expect(there.asked.map(({ input }) => input)).to.deep.equal([{ text: "two" }]);
    here.asked[0]?.answer("from here");
    there.asked[0]?.answer("from there");
    expect(await Promise.all([before, after])).to.deep.equal([{ output: "from here" }, { output: "from there" }]);
  });

  it("has those wait that come while it is closed, and lets them go in their order", async () => {
    held.close();
    const calls = ["one", "two"].map((text) => held.call("addNote", { text }, within(60_000)));
    expect(there.asked).to.deep.equal([]);
    held.lead(there);
    expect(there.asked.map(({ input }) => input.text)).to.deep.equal(["one", "two"]);
    for (const asked of there.asked) asked.answer("done");
    expect(await Promise.all(calls)).to.have.lengthOf(2);
  });

  it("says how many wait, and have, until it opens", async () => {
    expect(held.gate).to.equal(undefined);
    held.close();
    const { gate } = held;
    const calls = [5, 60_000].map((ms) => held.call("addNote", { text: "" }, within(ms)).catch(() => "late"));
    expect(gate).to.include({ waiting: 2, waited: 2 });
    expect(await calls[0]).to.equal("late");
    expect(gate).to.include({ waiting: 1, waited: 2 });
    held.lead(there);
    expect(gate).to.include({ waiting: 0, waited: 2 });
    expect(held.gate).to.equal(undefined);
    there.asked[0]?.answer("done");
    await calls[1];
  });

  it("tells a caller whose time is over while it waits that nothing was begun, and begins nothing for it later", async () => {
    held.close();
    const told = await held.call("addNote", { text: "late" }, within(5)).catch((error: unknown) => error);
    expect(told).to.be.instanceOf(Problem).with.property("code", "upstream-timeout");
    expect((told as Problem).options.extensions).to.deep.equal({ outcome: "not-begun" });
    held.lead(there);
    expect(there.asked).to.deep.equal([]);
  });

  it("refuses who comes when too many wait", async () => {
    held.close();
    const waiting = Array.from({ length: 5_000 }, () => held.call("addNote", { text: "" }, within(60_000)));
    const told = await held.call("addNote", { text: "" }, within(60_000)).catch((error: unknown) => error);
    expect(told).to.be.instanceOf(Problem).with.property("code", "dependency-unavailable");
    held.lead(there);
    for (const asked of there.asked) asked.answer("done");
    expect(await Promise.all(waiting)).to.have.lengthOf(5_000);
  });

  it("has who waits for a change go on waiting where the module is then, for the time that is left", async () => {
    const wait = held.call("getNote", { id: "1", wait: 20 }, within(22_000));
    held.close();
    here.asked[0]?.answer("what it was made to end with");
    held.lead(there);
    expect(there.asked.map(({ input }) => input)).to.deep.equal([{ id: "1", wait: 20 }]);
    there.asked[0]?.answer("changed");
    expect(await wait).to.deep.equal({ output: "changed" });
  });
});
