import { expect } from "chai";
import type { Store } from "../../src/store/store.ts";
import { until } from "../support/process.ts";

/** What one process at a time does, in every engine. `opened` gives the store of each test. */
export function leaseRows(opened: () => Store): void {
  describe("its leases", () => {
    let store: Store;
    let happened: string[];

    beforeEach(() => {
      store = opened();
      happened = [];
    });

    const begins = (what: string) => until(`${what} begins`, () => happened.includes(`${what} begins`));
    const hold = (role: string, what: string, until: Promise<unknown>) =>
      store.lease(role, async () => {
        happened.push(`${what} begins`);
        await until;
        happened.push(`${what} ends`);
      });

    it("let one do what has the same name, and others do what has another", async () => {
      const first = Promise.withResolvers<void>();
      const both = [hold("relay", "first", first.promise), hold("relay", "second", Promise.resolve())];
      await begins("first");
      await hold("prune", "third", Promise.resolve());
      expect(happened).to.deep.equal(["first begins", "third begins", "third ends"]);
      first.resolve();
      await Promise.all(both);
      expect(happened.slice(3)).to.deep.equal(["first ends", "second begins", "second ends"]);
    });

    it("go to the next when the work fails, and tell whoever asked for it", async () => {
      const failing = store.lease("relay", () => Promise.reject(new Error("of its own")));
      const next = hold("relay", "next", Promise.resolve());
      expect(await failing.catch((error: Error) => error.message)).to.equal("of its own");
      await next;
      expect(happened).to.deep.equal(["next begins", "next ends"]);
    });

    it("are lost when the store closes, and nobody gets one after that", async () => {
      const ended = store.lease("relay", async (lost) => {
        happened.push("first begins");
        await new Promise((resolve) => lost.addEventListener("abort", resolve));
      });
      const waiting = hold("relay", "second", Promise.resolve()).catch((error: { code: string }) => error.code);
      await begins("first");
      await store.close();
      await ended;
      expect(await waiting).to.equal("draining");
      expect(happened).to.deep.equal(["first begins"]);
    });
  });
}
