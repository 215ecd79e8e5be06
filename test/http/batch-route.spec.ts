import { expect } from "chai";
import { Problem } from "../../src/base/problem.ts";
import { BATCH_PATH } from "../../src/call/batch.ts";
import type { CallContext } from "../../src/contract/context.ts";
import { notes, serveNotes } from "../support/clients.ts";

const CALL = {
  operation: "getNote",
  input: { id: "a" },
  token: null,
  timeout_ms: 60_000,
  request_id: "r",
  traceparent: "",
};

describe("the route of batches", () => {
  it("tells nothing more of a call that was answered at its deadline, and goes on until it would begin", async () => {
    const late = new Problem("upstream-timeout", "x".repeat(16_000_000)); // more than leaves at once
    const { origin, close } = await serveNotes({
      contract: notes,
      async call(_operation, _input, ctx) {
        void goOn(ctx);
        throw late;
      },
    });
    try {
      const answer = await fetch(`${origin}${BATCH_PATH}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ calls: [CALL] }),
      });
      const lines = (await answer.text()).trim().split("\n");
      expect(lines.map((line) => JSON.parse(line).problem.detail)).to.deep.equal([late.message]);
    } finally {
      await close();
    }
  });
});

/** Announces that it begins after the answer has been written, and before that has left. What is thrown then fails the test. */
async function goOn({ progress }: CallContext): Promise<void> {
  for (let steps = 0; steps < 100; steps += 1) await undefined;
  progress?.announce?.();
}
