import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { expect } from "chai";
import { Problem } from "../../src/base/problem.ts";
import { traceOf } from "../../src/base/trace.ts";
import { createDeadLetterHandlers } from "../../src/bus/follow/dead-letter-handlers.ts";
import { deadLetters, deadLettersOf } from "../../src/call/dead-letters.ts";
import { createService } from "../../src/call/service.ts";
import { type CallContext, remainingMs } from "../../src/contract/context.ts";
import { type Callable, type ClientOf, createClient } from "../../src/contract/contract.ts";
import { gatherDeadLetters } from "../../src/gateway/dead-letters.ts";
import type { SqliteStore } from "../../src/store/engines/sqlite/open-store.ts";
import { applied, openModule, remember } from "../bus/modules.ts";

const NOBODYS = "0193f0a0-0000-7000-8000-000000000000";
const unexpected: unknown[] = [];
const options = { onUnexpected: (_operation: string, error: unknown) => unexpected.push(error) };

/** Each has a database of its own, and applies the numbers of the other, but none below zero. */
const MODULES = ["products", "orders"] as const;

describe("dead letters of several modules", () => {
  let folder: string;
  let stores: SqliteStore[];
  let letters: ClientOf<typeof deadLetters>;
  let isProductsAway: boolean | "slow";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "letters-"));
    stores = MODULES.map((name) => openModule(name, folder));
    isProductsAway = false;
    const [products, orders] = stores.map(serve);
    if (products === undefined || orders === undefined) throw new Error("both are served");
    const gathered = gatherDeadLetters([unless(() => isProductsAway, products), orders], options);
    letters = createClient(deadLetters, gathered);
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
    rmSync(folder, { recursive: true, force: true });
    expect(unexpected.splice(0)).to.deep.equal([]);
  });

  const storeOf = (name: string) => stores.find((store) => store.name === name) as SqliteStore;

  async function bury(name: string, number: number): Promise<string> {
    const publisher = name === "products" ? "orders" : "products";
    const event = {
      specversion: "1.0",
      id: NOBODYS,
      source: `/${publisher}`,
      type: "number.said",
      subject: String(number),
      time: "2025-01-02T03:04:05.678Z",
      datacontenttype: "application/json",
      data: { number },
    } as const;
    const letter = { publisher, position: { epoch: "e", seq: 1 }, event, error: "no", attempts: 5 };
    await storeOf(name).write((unit) => storeOf(name).cursors.bury(unit, letter));
    return (await storeOf(name).cursors.deadLetters())[0]?.id ?? "";
  }

  async function listInPages(limit: number): Promise<string[][]> {
    const pages: string[][] = [];
    for (let cursor: string | null | undefined; cursor !== null && pages.length < 20; ) {
      const page: Awaited<ReturnType<typeof letters.listDeadLetters>> = await letters.listDeadLetters(
        cursor === undefined ? { limit } : { limit, cursor },
        admin(),
      );
      pages.push(page.data.map(({ module, event }) => `${module} ${event.subject}`));
      cursor = page.next_cursor;
    }
    return pages;
  }

  it("are one list, newest first, each once, however long its pages are", async () => {
    const buried: string[] = [];
    for (const [number, name] of ["orders", "products", "products", "orders", "products", "products"].entries()) {
      await bury(name, number);
      buried.unshift(`${name} ${number}`);
    }
    expect(await listInPages(100)).to.deep.equal([buried]);
    expect(await listInPages(6)).to.deep.equal([buried]);
    expect(await listInPages(4)).to.deep.equal([buried.slice(0, 4), buried.slice(4)]);
    expect(await listInPages(1)).to.deep.equal(buried.map((each) => [each]));
  });

  it("are settled by the module that has them", async () => {
    const [first, second] = [await bury("orders", 1), await bury("products", 2)];
    await letters.replayDeadLetter({ id: first }, admin());
    expect(applied(storeOf("orders"), "products")).to.deep.equal([1]);
    await letters.discardDeadLetter({ id: second }, admin());
    expect(applied(storeOf("products"), "orders")).to.deep.equal([]);
    expect(await listInPages(100)).to.deep.equal([[]]);
    expect(await failureOf(letters.replayDeadLetter({ id: second }, admin()))).to.equal("not-found");
  });

  it("stay with the new reason when they fail again, and nothing of the try stays", async () => {
    const id = await bury("orders", -1);
    expect(await failureOf(letters.replayDeadLetter({ id }, admin()))).to.equal("replay-failed");
    const [letter] = (await letters.listDeadLetters({}, admin())).data;
    expect(letter).to.include({ id, error: "-1 is below zero", attempts: 6 });
    expect(applied(storeOf("orders"), "products")).to.deep.equal([]);
  });

  it("are not said to be missing while a module that may have them is away", async () => {
    const [here, away, bad] = [await bury("orders", 1), await bury("products", 2), await bury("orders", -3)];
    isProductsAway = true;
    const told = await letters.listDeadLetters({}, admin());
    expect(told.missing).to.deep.equal(["products"]);
    expect(told.data.map(({ id }) => id)).to.have.members([here, bad]);
    expect(await failureOf(letters.replayDeadLetter({ id: away }, admin()))).to.equal("dependency-unavailable");
    expect(await failureOf(letters.discardDeadLetter({ id: NOBODYS }, admin()))).to.equal("dependency-unavailable");
    expect(await failureOf(letters.replayDeadLetter({ id: bad }, admin()))).to.equal("replay-failed");
    await letters.replayDeadLetter({ id: here }, admin());
    expect(applied(storeOf("orders"), "products")).to.deep.equal([1]);
  });

  it("are listed as far as modules answer in time, who does not is named, and nobody is when all answer", async () => {
    const id = await bury("orders", 1);
    expect(await letters.listDeadLetters({}, admin())).not.to.have.property("missing");
    isProductsAway = "slow";
    const { data, missing } = await letters.listDeadLetters({}, admin(3_000));
    expect(data.map((letter) => letter.id)).to.deep.equal([id]);
    expect(missing).to.deep.equal(["products"]);
  });

  it("cannot be listed where nobody answers", async () => {
    const nobody = stores.map((store) => unless(() => true, serve(store)));
    const gathered = createClient(deadLetters, gatherDeadLetters(nobody, options));
    expect(await failureOf(gathered.listDeadLetters({}, admin()))).to.equal("dependency-unavailable");
  });

  it("are an admin's alone, also when a module is asked directly", async () => {
    const [products] = stores.map(serve);
    const direct = createClient(deadLetters, products as Callable);
    for (const client of [letters, direct]) {
      const customer = { ...admin(), principal: { id: NOBODYS, role: "customer" } } as const;
      expect(await failureOf(client.listDeadLetters({}, customer))).to.equal("forbidden");
      expect(await failureOf(client.discardDeadLetter({ id: NOBODYS }, customer))).to.equal("forbidden");
      expect(await failureOf(client.replayDeadLetter({ id: NOBODYS }, { ...admin(), principal: null }))).to.equal(
        "unauthenticated",
      );
    }
  });
});

function serve(store: SqliteStore): Callable {
  const subscription = remember(store.name === "products" ? "orders" : "products", (number) => {
    if (number < 0) throw new Error(`${number} is below zero`);
    return undefined;
  });
  const handlers = createDeadLetterHandlers({ store, subscriptions: [subscription] });
  return createService(deadLettersOf(store.name), handlers, options);
}

/** The same callable, as it is for a caller who cannot reach it. */
function unless(isAway: () => boolean | "slow", { contract, call }: Callable): Callable {
  return {
    contract,
    call: async (...args) => {
      const away = isAway();
      if (away === "slow") return answerTooLate(args[2]);
      if (away) throw new Problem("dependency-unavailable", "It cannot be reached.");
      return call(...args);
    },
  };
}

/** Nothing comes until the caller has given up. */
async function answerTooLate(ctx: CallContext): Promise<never> {
  await setTimeout(remainingMs(ctx));
  throw new Problem("upstream-timeout", "The answer did not come in time.");
}

function admin(timeoutMs = 60_000): CallContext {
  const deadline = performance.now() + timeoutMs;
  return {
    principal: { id: NOBODYS, role: "admin" },
    token: null,
    deadline,
    requestId: "-",
    trace: traceOf(undefined),
  };
}

async function failureOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "none",
    (error: Problem) => error.code,
  );
}
