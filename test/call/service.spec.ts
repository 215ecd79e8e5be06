import { expect } from "chai";
import { z } from "zod";
import { Problem } from "../../src/base/problem.ts";
import { traceOf } from "../../src/base/trace.ts";
import { createService, type ServiceOptions } from "../../src/call/service.ts";
import type { Claim } from "../../src/contract/claim.ts";
import type { CallContext, Principal } from "../../src/contract/context.ts";
import { defineContract, operation } from "../../src/contract/contract.ts";
import { idempotencyKey, replayed } from "../../src/contract/schemas.ts";

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
    const error = await service.call("ask", {}, contextOf(null)).catch((error: unknown) => error);
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

const counting = defineContract({
  name: "counting",
  problems: {},
  operations: {
    count: operation({
      method: "POST",
      path: "/count",
      access: "user",
      idempotent: true,
      summary: "Counts once per key",
      input: z.strictObject({ by: z.int(), idempotencyKey: idempotencyKey.optional() }),
      output: z.object({ count: z.int(), replayed }),
      problems: [],
    }),
    look: operation({
      method: "POST",
      path: "/look",
      access: "user",
      summary: "Takes a key, and makes nothing of it",
      input: z.strictObject({ idempotencyKey: idempotencyKey.optional() }),
      output: z.object({}),
      problems: [],
    }),
  },
  events: {},
});

describe("a service of an idempotent operation", () => {
  const onUnexpected = (_: string, error: unknown) => expect.fail(String(error));
  const ada: Principal = { id: "ada", role: "customer" };

  it("runs the handler once per claim, which it makes of caller, operation and input", async () => {
    const kept = new Map<string, object>();
    const answers: ServiceOptions["answers"] = {
      async once<T extends object>(claim: Claim, work: () => Promise<T>): Promise<T> {
        const place = JSON.stringify(claim);
        const answer = (kept.get(place) as T | undefined) ?? (await work());
        if (kept.has(place)) return { ...answer, replayed: true };
        kept.set(place, answer);
        return answer;
      },
    };
    const claims: (Claim | undefined)[] = [];
    let count = 0;
    const handlers = {
      count({ by }: { by: number }, { claim }: { claim: Claim | undefined }) {
        claims.push(claim);
        count += by;
        return { count };
      },
      look(_: object, { claim }: { claim: Claim | undefined }) {
        claims.push(claim);
        return {};
      },
    };
    const service = createService(counting, handlers, { onUnexpected, answers });
    const ask = (key: string | undefined, by = 1, principal = ada) =>
      service.call("count", { by, idempotencyKey: key }, contextOf(principal));
    expect(await ask("k")).to.deep.equal({ count: 1 });
    expect(await ask("k")).to.deep.equal({ count: 1, replayed: true });
    const others = [await ask("other"), await ask(undefined), await ask("k", 2)];
    expect([...others, await ask("k", 1, { id: "bob", role: "admin" })]).to.deep.equal(
      [2, 3, 5, 6].map((count) => ({ count })),
    );
    const users = claims.map((claim) => claim && `${claim.principal} ${claim.key}`);
    expect(users).to.deep.equal(["ada k", "ada other", undefined, "ada k", "bob k"]);
    // An operation that is not idempotent gets no claim, its caller's least of all.
    const calling = { ...contextOf(ada), claim: claims[0] };
    await service.call("look", { idempotencyKey: "k" }, calling);
    expect(claims.at(-1)).to.equal(undefined);
  });

  it("is not declared without a key to take, or without saying that an answer is given again", () => {
    const { count } = counting.operations;
    for (const wrong of [
      { ...count, input: z.strictObject({ by: z.int() }) },
      { ...count, output: z.object({ count: z.int() }) },
    ]) {
      const declare = () =>
        defineContract({ name: "counting", problems: {}, operations: { count: wrong }, events: {} });
      expect(declare).to.throw("counting.count is idempotent");
    }
  });

  it("is not made where nothing keeps its answers", () => {
    const handlers = { count: () => ({ count: 0 }), look: () => ({}) };
    expect(() => createService(counting, handlers, { onUnexpected })).to.throw("counting.count");
  });
});

function contextOf(principal: Principal | null): CallContext {
  return { principal, token: null, deadline: performance.now() + 60_000, requestId: "r", trace: traceOf(undefined) };
}
