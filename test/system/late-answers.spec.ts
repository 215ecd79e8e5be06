import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import {
  type Answer,
  type Api,
  addProduct,
  bodyOf,
  createApi,
  register,
  type Session,
  signIn,
} from "../support/api.ts";
import { extent } from "../support/extent.ts";
import { until } from "../support/process.ts";
import {
  fourProcesses,
  fourProcessesNodeFetch,
  type ProcessShop,
  type ProcessTopology,
  type Service,
} from "../support/topology.ts";

/** `LATE_CALLS=100 npx mocha test/system/late-answers.spec.ts` */
const CALLS = Number(process.env.LATE_CALLS ?? 10);

/** What is stopped stands still for longer: until all answers have come. Less is too little for a machine that does much else. */
const SETTINGS = { CALL_TIMEOUT: "4000" };

const STOP_POINT = new URL("stop-point.ts", import.meta.url);

interface Attempt {
  readonly callee: Service;
  /** How what it does begins. */
  readonly statement: string;
  call(n: number, key?: string): Promise<Answer>;
  /** How often it has happened. */
  count(): Promise<number>;
}

const both: readonly ProcessTopology[] = [fourProcesses, fourProcessesNodeFetch];

const all = ["order", "restock", "correct", "register"] as const;
const tried = extent<readonly (typeof all)[number][]>("late answers to corrections and registrations", all, [
  "order",
  "restock",
]);

for (const topology of extent("late answers by node-fetch", both, [fourProcesses])) {
  describe(`a callee that stands still: ${topology.name}`, function () {
    this.timeout(180_000 + CALLS * 1_000);
    let folder: string;
    let stopFile: string;
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;
    let product: string;
    let attempts: Readonly<Record<string, Attempt>>;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "late-"));
      stopFile = join(folder, "stop");
      shop = await topology.start({ ...SETTINGS, STOP_FILE: stopFile });
      api = createApi(shop.url);
      admin = await signIn(api);
      const buyer = await register(api, "buyer");
      product = await addProduct(api, admin, 100_000);
      const stock = async () => bodyOf<{ stock: number }>(await api.get(`/products/${product}`)).stock;
      const keyed = (key?: string) => (key === undefined ? {} : { "idempotency-key": key });
      const moved = (path: string, body: object, change: number): Attempt => {
        let from = 0;
        return {
          callee: "products",
          statement: "UPDATE products",
          call: (_n, key) => api.post(`/products/${product}/${path}`, body, admin.token, keyed(key)),
          async count() {
            const now = await stock();
            const times = (now - from) / change;
            from = now;
            return times;
          },
        };
      };
      const counted = (count: () => number) => {
        let seen = 0;
        return async () => {
          const now = count();
          const news = now - seen;
          seen = now;
          return news;
        };
      };
      const rows = (module: "orders" | "users", table: string) => () => countRows(shop, module, table);
      attempts = {
        order: {
          callee: "orders",
          statement: "INSERT INTO orders",
          call: (_n, key) => api.post("/orders", { product_id: product, quantity: 1 }, buyer.token, keyed(key)),
          count: counted(rows("orders", "orders")),
        },
        restock: moved("restock", { quantity: 7 }, 7),
        correct: moved("correct", { delta: 3, reason: "counted" }, 3),
        register: {
          callee: "users",
          statement: "INSERT INTO users",
          call: (n, key) =>
            api.post(
              "/users/register",
              {
                name: "x",
                email: `late-${key?.replace(" ", "-") ?? "once"}-${n}@example.org`,
                password: `a password of ${n}`,
              },
              undefined,
              keyed(key),
            ),
          count: counted(rows("users", "users")),
        },
      };
      // Answers that have come before are how the clocks are known.
      for (const [name, { call }] of Object.entries(attempts))
        for (const n of [9_001, 9_002]) await untilDone(() => call(n, `${name} ${n}`));
      await shop.settled();
    });
    after(async () => {
      await api.close();
      await shop.stop();
      await rm(folder, { recursive: true, force: true });
    });

    for (const name of tried) {
      it(`does not begin an attempt to ${name} whose time had passed when it was read, and whoever asked was told so`, async () => {
        const attempt = attempts[name] as Attempt;
        await isNotBegunWhileItStands(attempt.callee, attempt);
      });
    }

    it("does not begin an order while the products that it needs stand still, and whoever asked was told so", async () => {
      await isNotBegunWhileItStands("products", attempts.order as Attempt);
    });

    for (const name of tried) {
      it(`tells of an attempt to ${name} that had begun that it is not known, and has it done once by a key`, async () => {
        const { callee, statement, call, count } = attempts[name] as Attempt;
        await shop.kill(callee);
        await shop.restart(callee, STOP_POINT);
        await becomesReady();
        await untilDone(() => call(9_003, `warm ${name}`)); // the time of the one that has started anew is known
        await shop.settled();
        await count();
        const keyed = (n: number) => call(n, `${name} ${n}`);
        await writeFile(`${stopFile}.new`, statement);
        await rename(`${stopFile}.new`, stopFile); // whole, or not there
        const { pid } = shop.process(callee);
        const first = Promise.all(Array.from({ length: CALLS }, (_, n) => keyed(n)));
        await until("it stands still", () => !existsSync(stopFile) && isStopped(pid));
        const answers = await first;
        process.kill(pid, "SIGCONT");
        await becomesReady();
        const told = answers.map(outcomeOf);
        expect(told, "one at least had begun").to.include("504 unknown");
        expect(told.filter((outcome) => !/^504 (unknown|not-begun)$/.test(outcome))).to.deep.equal([]);
        await shop.settled();
        const happened = await count();
        expect(happened, "of those of which it was said that it may").to.be.at.most(
          told.filter((outcome) => outcome === "504 unknown").length,
        );
        for (let n = 0; n < CALLS; n++) await untilDone(() => keyed(n));
        await shop.settled();
        expect(happened + (await count()), "each once").to.equal(CALLS);
      });
    }

    async function isNotBegunWhileItStands(stopped: Service, { call, count }: Attempt): Promise<void> {
      await count();
      const { pid } = shop.process(stopped);
      process.kill(pid, "SIGSTOP");
      const answers = await Promise.all(Array.from({ length: CALLS }, (_, n) => call(n)));
      process.kill(pid, "SIGCONT");
      await becomesReady();
      await shop.settled();
      expect(new Set(answers.map(outcomeOf))).to.deep.equal(new Set(["504 not-begun"]));
      expect(await count(), "happened after all").to.equal(0);
    }

    /** A neighbour that was away may be left alone for a moment, and a machine that is busy may be too slow once. */
    async function untilDone(call: () => Promise<Answer>): Promise<void> {
      await until("it is done", async () => (await call()).status < 300);
    }

    function becomesReady(): Promise<void> {
      return until("all answer again", async () => {
        const { body } = await api.get("/status");
        const { modules } = body as { modules: readonly { name: string; status: string }[] };
        return modules.every(({ status }) => status === "running");
      });
    }
  });
}

/** Whether a process has been stopped by a signal, as proc(5) tells it: its name in brackets, and then the state. */
function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

function outcomeOf({ status, body }: Answer): string {
  return `${status} ${(body as { outcome?: string }).outcome ?? JSON.stringify(body)}`;
}

function countRows(shop: ProcessShop, module: "orders" | "users", table: string): number {
  const database = new Database(`${shop.dataDir}/${module}.db`, { readonly: true });
  try {
    return database.prepare<[], { n: number }>(`SELECT count(*) AS n FROM ${table}`).get()?.n ?? 0;
  } finally {
    database.close();
  }
}
