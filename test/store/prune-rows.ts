import { expect } from "chai";
import type { Store } from "../../src/store/store.ts";
import type { OpenAgain } from "./store-rows.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LONGEST_STEP = 6;
const WINDOW_MS = 7 * DAY_MS;

/** How the log's window of pruning goes on in every engine. `openAgain` opens the store of each test. */
export function pruneRows(openAgain: OpenAgain): void {
  describe("its window of pruning", () => {
    let store: Store;
    let nowMs: number;

    beforeEach(async () => {
      nowMs = Date.UTC(2026, 0, 1);
      store = await openAgain({ now: () => nowMs });
    });

    /** Looks after an hour, and then every few, all subscribers having applied the row `lowest`. @returns the last answer */
    async function look(hours: number, lowest: number): Promise<number> {
      let prunable = 0;
      for (let left = hours, step = 1; left > 0; step = Math.min(left, LONGEST_STEP)) {
        nowMs += step * HOUR_MS;
        left -= step;
        prunable = await store.log.prunable(lowest, WINDOW_MS);
      }
      return prunable;
    }

    async function restart(downMs: number): Promise<void> {
      await store.close();
      nowMs += downMs;
      store = await openAgain({ now: () => nowMs });
    }

    it("lets go of what nobody has needed for as long as it is", async () => {
      expect(await look(7 * 24, 50)).to.equal(0);
      expect(await look(1, 80)).to.equal(50);
      expect(await look(7 * 24, 90)).to.equal(80);
    });

    it("is no shorter for a clock that is a year ahead for a while", async () => {
      await store.close();
      let stepMs = 0;
      store = await openAgain({ now: () => nowMs + stepMs, monotonicMs: () => nowMs });
      await look(24, 50);
      stepMs = 365 * DAY_MS;
      expect(await look(1, 80)).to.equal(0);
      stepMs = 0;
      expect(await look(6 * 24 - 1, 80)).to.equal(0);
      expect(await look(2, 80)).to.equal(50);
    });

    it("keeps what one that went back needs again", async () => {
      await look(24, 50);
      await look(1, 20);
      expect(await look(7 * 24, 90)).to.equal(20);
    });

    it("is one for all who look at the same time", async () => {
      const other = await openAgain({ now: () => nowMs });
      await look(24, 90);
      for (const [first, second] of [
        [store, other],
        [other, store],
      ] as const) {
        nowMs += HOUR_MS;
        await Promise.all([first.log.prunable(20, WINDOW_MS), second.log.prunable(50, WINDOW_MS)]);
        expect(await look(7 * 24, 90)).to.equal(20);
      }
    });

    it("goes on from one start to the next", async () => {
      for (let day = 0; day < 7; day++) {
        expect(await look(23, 50)).to.equal(0);
        await restart(HOUR_MS);
      }
      expect(await look(1, 90)).to.equal(50);
      await restart(HOUR_MS);
      expect(await look(1, 90)).to.equal(50);
    });

    it("begins anew when nobody looked for long, or the clock was set back", async () => {
      for (const gapMs of [2 * DAY_MS, -DAY_MS]) {
        await look(6 * 24, 50);
        await restart(gapMs);
        expect(await look(6 * 24, 60)).to.equal(0);
        expect(await look(25, 90)).to.equal(60);
      }
    });
  });
}
