import { expect } from "chai";
import { z } from "zod";
import { Problem } from "../../src/base/problem.ts";
import { traceOf } from "../../src/base/trace.ts";
import { createService } from "../../src/call/service.ts";
import type { CallContext } from "../../src/contract/context.ts";
import { defineContract, operation } from "../../src/contract/contract.ts";

const asking = defineContract({
  name: "asking",
  problems: {},
  operations: {
    ask: operation({
      method: "POST",
      path: "/ask",
      access: "public",
      summary: "Asks a neighbour",
      input: z.strictObject({}),
      output: z.object({}),
      problems: [],
    }),
  },
  events: {},
});

describe("a service whose neighbour fails", () => {
  const answerWhen = async (failure: Error): Promise<{ code: string; told: boolean }> => {
    let told = false;
    const options = {
      onUnexpected: () => {
        told = true;
      },
    };
    const service = createService(asking, { ask: () => Promise.reject(failure) }, options);
    const ctx: CallContext = {
      principal: null,
      token: null,
      deadline: performance.now() + 1_000,
      requestId: "r",
      trace: traceOf(undefined),
    };
    const error = await service.call("ask", {}, ctx).catch((error: unknown) => error);
    return { code: (error as Problem).code, told };
  };

  it("tells the caller that its token has expired on the way", async () => {
    expect(await answerWhen(new Problem("invalid-token", "The token has expired."))).to.deep.equal({
      code: "invalid-token",
      told: false,
    });
  });

  it("tells what the environment suffers", async () => {
    expect((await answerWhen(new Problem("upstream-timeout", "Too late."))).code).to.equal("upstream-timeout");
  });

  it("keeps to itself what it did not declare", async () => {
    for (const code of ["forbidden", "unauthenticated", "validation-failed", "not-found"] as const) {
      expect(await answerWhen(new Problem(code, "Not for the caller."))).to.deep.equal({
        code: "internal",
        told: true,
      });
    }
    expect(await answerWhen(new Error("a bug"))).to.deep.equal({ code: "internal", told: true });
  });
});
