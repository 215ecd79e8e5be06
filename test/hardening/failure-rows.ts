import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import Database from "better-sqlite3";
import { type Answer, addProduct, allOrders, createApi, register, signIn } from "../support/api.ts";
import { freePorts, startShopProcess } from "../support/process.ts";
import type { Settings, Shop } from "../support/topology.ts";
import { assertProblem } from "./expectations.ts";

/** A row that needs a shop of its own. */
export interface FailureRow {
  readonly input: string;
  readonly answer: string;
  readonly settings: Settings;
  run(shop: Shop): Promise<number>;
}

const DELAY_MS = 6_000;

export const failureRows: readonly FailureRow[] = [
  {
    input: "a dependency down",
    answer: "503 dependency-unavailable, no order row",
    settings: { FAULTS: "users.getUser=unavailable" },
    run: (shop) => order(shop, async (answer) => assertProblem("users down", answer, "503 dependency-unavailable")),
  },
  {
    input: "a dependency slow; rotating X-Forwarded-For",
    answer: "504 upstream-timeout, no order row · 429 rate-limited",
    settings: {
      FAULTS: `products.getProduct=delay:${DELAY_MS}`,
      CALL_TIMEOUT: "5000",
      RATE_LIMIT: "40/3600s",
      AUTH_RATE_LIMIT: "5/3600s",
    },
    async run(shop) {
      const count = await order(shop, async (answer) => {
        assertProblem("products slow", answer, "504 upstream-timeout");
        await sleep(DELAY_MS);
      });
      return count + (await rotateAddresses(shop));
    },
  },
];

/** Places an order that cannot be placed, looks at the answer, and that there is no order then. */
async function order(shop: Shop, look: (answer: Answer) => Promise<void>): Promise<number> {
  const api = createApi(shop.url);
  try {
    const buyer = await register(api, "buyer");
    const product = await addProduct(api, await signIn(api), 5);
    await look(await api.post("/orders", { product_id: product, quantity: 1 }, buyer.token));
    const orders = await allOrders(api, buyer);
    if (orders.length > 0) throw new Error(`there is an order: ${JSON.stringify(orders)}`);
    return 1;
  } finally {
    await api.close();
  }
}

async function rotateAddresses({ url }: Shop): Promise<number> {
  const api = createApi(url);
  try {
    const headers = (at: number) => ({ "x-forwarded-for": `203.0.113.${at}`, forwarded: `for=203.0.113.${at}` });
    const login = (at: number) =>
      api.post("/users/login", { email: "nobody@example.org", password: "not the password" }, undefined, headers(at));
    for (let at = 0; at < 5; at++) await login(at);
    assertProblem("sign-in", await login(99), "429 rate-limited");
    for (let at = 0; at < 40; at++) await api.get("/products", undefined, headers(at));
    assertProblem("all", await api.get("/products", undefined, headers(99)), "429 rate-limited");
    return 2;
  } finally {
    await api.close();
  }
}

/** How a process is kept from starting, by what is wrong. It is given a folder of its own, and a free port. */
const obstacles: Readonly<Record<string, (folder: string, port: number) => Promise<Obstacle>>> = {
  "an address in use": async (_folder, port) => {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return { says: /in use/, undo: () => server.close() };
  },
  "a data folder that is a file": async (folder) => {
    await writeFile(join(folder, "file"), "not a folder");
    return { settings: { DATA_DIR: join(folder, "file") }, says: /file/ };
  },
  "a data folder that cannot be written": async (folder) => {
    await mkdir(join(folder, "closed"));
    await chmod(join(folder, "closed"), 0o500);
    const dir = process.getuid?.() === 0 ? "/proc" : join(folder, "closed");
    return { settings: { DATA_DIR: dir }, says: /proc|closed/ };
  },
  "a corrupt database": async (folder) => {
    await writeFile(join(folder, "users.db"), Buffer.alloc(8_192, "not a database "));
    return { says: /users\.db/ };
  },
  "a newer database": async (folder) => {
    const database = new Database(join(folder, "users.db"));
    database.exec("CREATE TABLE later (id); PRAGMA user_version = 9999;");
    database.close();
    return { says: /users\.db/ };
  },
  "an unknown flag": async () => ({ args: ["--frobnicate=1"], says: /--frobnicate/ }),
  "a setting of nonsense": async () => ({ settings: { CALL_TIMEOUT: "soon" }, says: /CALL_TIMEOUT=soon/ }),
};

interface Obstacle {
  readonly settings?: Settings;
  readonly args?: readonly string[];
  /** What the one line names. */
  readonly says: RegExp;
  undo?(): void;
}

/**
 * Starts a process against each obstacle: it ends with another status than 0, tells why in a line or two, and leaves all
 * files as they were.
 * @param serve what the process is to serve
 */
export async function startAgainstObstacles(serve: Settings): Promise<number> {
  const attempts = Object.entries(obstacles).map(async ([name, set]) => {
    const folder = await mkdtemp(join(tmpdir(), "quartet-obstacle-"));
    const [port = 0] = await freePorts(1);
    const { settings = {}, args = [], says, undo } = await set(folder, port);
    try {
      const before = await contentOf(folder);
      const env = {
        NODE_ENV: "test",
        LOG_LEVEL: "warn",
        DATA_DIR: folder,
        PORT: String(port),
        USERS_PORT: String(port),
        ...serve,
      };
      const started = startShopProcess({ env: { ...env, ...settings }, args, cwd: folder });
      const { code } = await started.exited;
      const said = started.output().trim();
      if (code === 0 || code === null) throw new Error(`${name}: ended with ${code}: ${said}`);
      if (!says.test(said) || said.split("\n").length > 2 || /\.ts:\d/.test(said)) {
        throw new Error(`${name}: not one clear line that says ${says}: ${said}`);
      }
      if ((await contentOf(folder)) !== before) throw new Error(`${name}: files have changed`);
    } finally {
      undo?.();
      await rm(folder, { recursive: true, force: true });
    }
  });
  return (await Promise.all(attempts)).length;
}

async function contentOf(folder: string): Promise<string> {
  // The lock that a start leaves beside a database holds nothing, and nobody's.
  const names = (await readdir(folder)).filter((name) => !name.endsWith("-lock")).sort();
  const contents = names.map(async (name) => {
    const bytes = await readFile(join(folder, name)).catch(() => "a folder");
    return `${name} ${createHash("sha256").update(bytes).digest("hex")}`;
  });
  return (await Promise.all(contents)).join("\n");
}
