import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { problemTypes } from "../../src/base/problem-types.ts";
import { createCallQueue, type QueuedCall, type RemoteOperation } from "../../src/call/queue.ts";
import { contextOf, notes } from "../support/clients.ts";

const callee: RemoteOperation = {
  name: "getNote",
  operation: notes.operations.getNote,
  types: problemTypes(notes.problems),
  isRead: true,
};

/** A queue to a neighbour with two slots that answers when it is told to, and the flights that have left. */
function open() {
  const flights: { readonly ids: unknown[]; answer(): void }[] = [];
  const send = (calls: readonly QueuedCall[]) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const answer = () => {
      for (const call of calls) call.resolve({});
      resolve();
    };
    flights.push({ ids: calls.map(({ input }) => input.id), answer });
    return promise;
  };
  const queue = createCallQueue(send, 64, () => 2);
  const call = (id: string, patient = false) => {
    const journey = { sent: false, bounded: false, begun: false };
    return queue.call({ callee, input: { id }, ctx: contextOf(null), journey }, patient);
  };
  return { call, flights, left: () => flights.map(({ ids }) => ids) };
}

/** Until all that was to be done at once is done, and before the event loop has turned. */
const atOnce = async () => {
  for (let hop = 0; hop < 20; hop++) await undefined;
};

const aTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("the queue of calls to a neighbour", () => {
  it("lets a call without company leave in the turn in which it was made, together with what is made with it", async () => {
    const { call, flights, left } = open();
    const first = call("a");
    await atOnce();
    expect(left()).to.deep.equal([["a"]]);
    flights[0]?.answer();
    await first;
    await aTurn();
    const both = [call("b"), call("c")];
    await atOnce();
    expect(left()).to.deep.equal([["a"], ["b", "c"]]);
    flights[1]?.answer();
    await Promise.all(both);
  });

  it("waits for the turn to end where others are expected: while one is under way, and after a flight of several", async () => {
    const { call, flights, left } = open();
    const calls = [call("a")];
    await atOnce();
    calls.push(call("b"));
    await atOnce();
    calls.push(call("c"));
    await atOnce();
    expect(left()).to.deep.equal([["a"]]);
    await aTurn();
    expect(left()).to.deep.equal([["a"], ["b", "c"]]);
    for (const flight of flights) flight.answer();
    await Promise.all(calls);
    const next = call("d");
    await atOnce();
    expect(left()).to.have.length(2);
    await aTurn();
    expect(left()[2]).to.deep.equal(["d"]);
    flights[2]?.answer();
    await next;
  });

  it("lets who waits for a slot leave when a flight ends, or when the oldest has taken so long that it gives its slot up", async () => {
    const { call, flights, left } = open();
    const calls = [call("a")];
    await atOnce();
    calls.push(call("b"));
    await aTurn();
    calls.push(call("c"));
    flights[0]?.answer();
    while (flights.length < 3) await sleep(1);
    calls.push(call("d"), call("e"));
    while (flights.length < 4) await sleep(1); // nobody has answered
    expect(left()).to.deep.equal([["a"], ["b"], ["c"], ["d", "e"]]);
    for (const flight of flights) flight.answer();
    await Promise.all(calls);
  });

  it("has those that begin to wait in one turn leave together, up to the most of a flight, and hold up nobody", async () => {
    const { call, flights, left } = open();
    const waits = Array.from({ length: 65 }, (_, n) => call(`wait ${n}`, true));
    const another = call("a");
    await atOnce();
    expect(left().map(({ length }) => length)).to.have.members([64, 1, 1]);
    expect(left()).to.deep.include(["a"]);
    for (const flight of flights) flight.answer();
    await Promise.all([another, ...waits]);
  });
});
