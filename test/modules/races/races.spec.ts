import { AssertionError, expect } from "chai";
import { sql } from "../../../src/store/sql.ts";
import type { Store } from "../../../src/store/store.ts";
import { isWholeRun, leftOut } from "../../support/extent.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../../support/postgres.ts";
import { type Arena, type Outcome, openArena, type Racer } from "./arena.ts";
import { schemaOf, UNITS } from "./units.ts";

/** What is raced is locks: nothing has to outlive the machine. */
const QUICK = ["synchronous_commit=off", "full_page_writes=off", "deadlock_timeout=20ms", "max_connections=20"];

/** Of so many pairs one is raced in the short run too, and in the whole one with more turns. */
const SAMPLE = 5;

if (!isWholeRun) leftOut.add("most pairs of units of work, interleaved on PostgreSQL");

/** The methods of a store can be told without one. */
const nowhere = { overwriteDeleted() {} } as unknown as Store;

describe("two units of work on the same rows of PostgreSQL end as if one had come after the other", () => {
  let server: PostgresServer;

  before(async function () {
    if (missingPostgres() !== undefined) return this.skip();
    server = await startPostgresServer(QUICK);
  });
  after(() => server?.stop());

  for (const name of ["users", "products", "orders"] as const) {
    describe(name, () => {
      const { units, fill, methods, stores } = UNITS[name];
      let arena: Arena;

      before(async () => {
        arena = await openArena(server, schemaOf(name), fill);
      });
      after(() => arena?.close());

      const named = Object.entries(units);
      for (const [index, [first, one]] of named.entries()) {
        it(`${first}, beside each`, async function () {
          this.timeout(120_000);
          for (const [at, [second, other]] of named.entries()) {
            const isSample = (index + at) % SAMPLE === 0;
            if (!(isSample || isWholeRun) || !(await arena.haveCommonTables(one, other))) continue;
            await race(arena, [first, one], [second, other], isSample && isWholeRun);
          }
        });
      }

      it("are all that its stores have", () => {
        const own = stores(nowhere).flatMap((store) => Object.keys(store));
        expect(own).to.include.members([...methods]);
        expect(own.filter((method) => !methods.includes(method) && !isReading(method))).to.deep.equal([]);
      });
    });
  }

  it("as they would not without a lock", async () => {
    const taking: Racer = (store) =>
      store.write(function* (unit) {
        const row = yield* unit.get(sql<{ stock: number }>`SELECT stock FROM products WHERE id = 'a'`);
        yield* unit.run(sql`UPDATE products SET stock = ${(row?.stock ?? 0) - 1} WHERE id = 'a'`);
      });
    const arena = await openArena(server, schemaOf("products"), UNITS.products.fill);
    const failure = await race(arena, ["taking", taking], ["taking again", taking]).catch((error: unknown) => error);
    await arena.close();
    expect(failure).to.be.instanceOf(AssertionError);
  });
});

/**
 * Runs one so many steps, then the other, for all numbers of steps.
 * @param andBack whether also back to the first before the other's end, after each of its steps
 */
async function race(
  arena: Arena,
  first: readonly [string, Racer],
  second: readonly [string, Racer],
  andBack = false,
): Promise<void> {
  const [[name, one], [otherName, other]] = [first, second];
  const forth = await arena.oneByOne(one, other);
  const back = await arena.oneByOne(other, one);
  const serial = [forth, { ...back, first: back.second, second: back.first }].map(textOf);
  const look = async (firsts: number, seconds?: number) => {
    const raced = await arena.interleaved(one, other, firsts, seconds);
    if (raced === undefined) return undefined;
    const when = `${name} after ${firsts} steps, ${otherName} for ${seconds ?? "all"}`;
    expect(raced.undone, `${when}: deadlocks`).to.equal(0);
    expect(serial, when).to.include(textOf(raced));
    return raced;
  };
  for (let firsts = 1; (await look(firsts)) !== undefined; firsts += 1) {
    for (let seconds = 1; andBack && (await look(firsts, seconds))?.isLast === false; ) seconds += 1;
  }
}

function textOf({ first, second, tables }: Outcome): string {
  return JSON.stringify({ first, second, tables }, undefined, 1);
}

function isReading(method: string): boolean {
  return /^(find|list|has|keys$|highest)/.test(method);
}
