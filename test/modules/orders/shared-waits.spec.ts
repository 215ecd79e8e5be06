import { expect } from "chai";
import type { Peers } from "../../../src/modules/module.ts";
import { createSharedWaits } from "../../../src/modules/orders/shared-waits.ts";
import { createWaits } from "../../../src/modules/orders/waits.ts";
import { ALONE } from "./shop.ts";

const HOUR_MS = 3_600_000;
const isDone = (seen: string) => seen === "done";

/** Replicas that hear each other, and a record of what was said. */
function createPeers(): { peers: Peers; said: unknown[] } {
  const listeners: ((message: unknown) => void)[] = [];
  const said: unknown[] = [];
  const peers: Peers = {
    tell(message) {
      said.push(message);
      for (const listener of listeners) listener(JSON.parse(JSON.stringify(message)));
    },
    onTold: (listener) => void listeners.push(listener),
  };
  return { peers, said };
}

describe("Waiting for an order that another replica changes", () => {
  it("ends when that one tells, which tells of several at once", async () => {
    const { peers, said } = createPeers();
    const [here, there] = [1, 2].map(() => createSharedWaits({ maxWaits: 10, lookAgainMs: HOUR_MS }, peers));
    let state = "pending";
    const seen = ["a", "b"].map((key) => here?.until(key, HOUR_MS, async () => state, isDone));
    await new Promise(setImmediate);
    state = "done";
    there?.wake("a");
    there?.wake("b");
    expect(await Promise.all(seen)).to.deep.equal(["done", "done"]);
    expect(said).to.deep.equal([{ woken: ["a", "b"] }]);
  });

  it("ends soon although nobody tells", async () => {
    const waits = createWaits({ maxWaits: 10, lookAgainMs: 1 });
    const sights = ["pending", "pending", "pending", "done"];
    expect(await waits.until("a", HOUR_MS, async () => sights.shift() ?? "", isDone)).to.equal("done");
  });

  it("is not disturbed by what no replica of this version says", async () => {
    const { peers } = createPeers();
    const waits = createSharedWaits({ maxWaits: 10, lookAgainMs: HOUR_MS }, peers);
    const seen = waits.until("a", HOUR_MS, async () => "pending", isDone);
    for (const message of [null, "a", { woken: "a" }, { woken: [1] }]) peers.tell(message);
    waits.drain();
    expect(await seen).to.equal("pending");
  });

  it("tells nobody where no other process can change anything", async () => {
    const { peers, said } = createPeers();
    createSharedWaits({ maxWaits: 10 }, peers).wake("a");
    createSharedWaits({ maxWaits: 10 }, ALONE).wake("a");
    await new Promise(setImmediate);
    expect(said).to.deep.equal([]);
  });
});
