import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { render } from "../../tools/kubernetes/render.ts";
import { createApi, signIn } from "../support/api.ts";
import { assertBalanced } from "../support/books.ts";
import { areEventsApplied } from "../support/databases.ts";
import { startPostgresServer } from "../support/postgres.ts";
import { databasesInPostgres } from "../support/postgres-databases.ts";
import { until } from "../support/process.ts";
import { startRedisServer } from "../support/redis.ts";
import { addColumns, copyCode } from "../system/next-code.ts";
import { Cluster } from "./cluster.ts";
import { startClusterNames } from "./cluster-names.ts";
import { DNS } from "./enter.ts";
import { describeOutcomes, SLOW_MS } from "./figures.ts";
import { startIngress } from "./ingress.ts";
import { readTemplates } from "./templates.ts";
import { startTraffic } from "./traffic.ts";
import { takeVersion } from "./versions.ts";

/** The play itself, in a network of its own: `enter.ts` begins it, and `rehearse.ts` says what there is to be said on its command line. */
const { values: flags } = parseArgs({
  options: {
    folder: { type: "string", default: "" },
    overlay: {
      type: "string",
      default: fileURLToPath(new URL("../../deploy/kubernetes/overlays/scale", import.meta.url)),
    },
    steps: { type: "string", default: "upgrade,restart,expand,back" },
    before: { type: "string", default: "HEAD~1" },
    rate: { type: "string", default: "100" },
    lag: { type: "string", default: "5" },
    patient: { type: "boolean", default: false },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** How long it takes in a cluster until those who ask the DNS know: the manifests' preStop counts on it. */
const LAG_S = 5;
const ADMIN = { email: "admin@shop.example", password: "a long password of the owner's" };
const TODAY = fileURLToPath(new URL("../..", import.meta.url));
/** What has run for a while is replaced: the first events after a start are applied one by one, and go slowly. */
const WARM_UP_S = 20;
/** So that what a busy machine cannot do does not pile up. */
const PATIENT_AT_ONCE = 4;
/** All customers have one address. */
const NO_LIMIT = "1000000/60s";
const LIMITS = { RATE_LIMIT: NO_LIMIT, AUTH_RATE_LIMIT: NO_LIMIT, REFRESH_RATE_LIMIT: NO_LIMIT };

process.setMaxListeners(0); // each process that is started adds one
const startedAt = performance.now();
const say = (line: string) =>
  console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(6)} s  ${line}`);
const lagS = Number(flags.lag);
const { folder } = flags;

const postgres = await startPostgresServer(["max_connections=200"]);
await postgres.query("CREATE ROLE shop LOGIN CREATEROLE PASSWORD 'secret'");
await postgres.query("CREATE DATABASE shop OWNER shop ENCODING 'UTF8' TEMPLATE template0");
const database = `postgres://postgres@127.0.0.1:${postgres.port}/shop`;
const redis = await startRedisServer();
const templates = await readTemplates(
  render(flags.overlay),
  { "quartet-database": { password: "secret" }, "quartet-admin": ADMIN },
  folder,
);
const names = await startClusterNames(DNS);
const ingress = await startIngress(
  folder,
  "127.0.0.1",
  templates.services.find(({ name }) => name === "gateway")?.port ?? 0,
);
const cluster = new Cluster({
  templates,
  settings: {
    ...LIMITS,
    ...(flags.patient && { CALL_TIMEOUT: "60000", BCRYPT_COST: "4" }),
    DATABASE_URL: `postgres://shop@127.0.0.1:${postgres.port}/shop`,
    REDIS_URL: redis.url,
  },
  names,
  ingress,
  folder,
  lagMs: lagS * 1_000,
  patience: flags.patient ? 20 : 1,
  sparedS: LAG_S - lagS,
  say,
});
const api = createApi(ingress.url, 1_000);
const next = await copyCode();
const before = await takeVersion(flags.before);
try {
  process.exitCode = await play();
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exitCode = 1;
} finally {
  await api.close();
  await cluster.stop();
  await ingress.stop();
  names.stop();
  await redis.stop();
  await postgres.stop();
  await next.remove();
  if ("dir" in before) await before.remove();
}

/** Resolves the status to end with. */
async function play(): Promise<number> {
  const steps = stepsOf(flags.steps.split(","));
  const first = steps[0] === "upgrade" && "dir" in before ? before.dir : TODAY;
  await cluster.migrate(first);
  await cluster.begin(first);
  await until("the shop answers", async () => (await api.get("/readyz").catch(() => undefined))?.status === 200);
  const admin = await signIn(api, ADMIN);
  const traffic = await startTraffic(api, admin, {
    rate: Number(flags.rate),
    atOnce: flags.patient ? PATIENT_AT_ONCE : 1_000,
    seed: Number(flags.seed),
  });
  await untilAnswered(Number(flags.rate) * (flags.patient ? 1 : WARM_UP_S));
  const warm = traffic.outcomes.length;
  const tables: string[] = [];
  let told = warm;
  for (const step of steps) {
    say(`${step} begins`);
    await take(step);
    await sleep(lagS * 1_000); // until whoever sends something knows the last of it
    await untilAnswered(traffic.outcomes.length + Number(flags.rate));
    tables.push(`\n${step}\n${describeOutcomes(traffic.outcomes.slice(told))}`);
    told = traffic.outcomes.length;
  }
  await traffic.stop();
  say("all have been answered");
  await until("every event is applied", () => areEventsApplied(async () => databasesInPostgres(database)));
  const found = new Set((await assertBalanced(api, admin, traffic.opening)).map(({ id }) => id));
  const lost = traffic.placed.difference(found).size;
  const unexpected = found.difference(traffic.placed).size;
  const failed = traffic.outcomes.filter(({ failure }) => failure !== undefined);
  const slow = traffic.outcomes.slice(warm).filter(({ tookMs }) => tookMs > SLOW_MS);
  console.log(tables.join("\n"));
  for (const { kind, tookMs, failure } of failed.slice(0, 20))
    console.log(`failed: ${kind} after ${Math.round(tookMs)} ms: ${failure}`);
  for (const { kind, tookMs } of slow.slice(0, 20)) console.log(`slow: ${kind} took ${Math.round(tookMs)} ms`);
  if (failed.length > 0) console.log(cluster.warnings().slice(-50).join("\n"));
  console.log(
    `\n${steps.join(", ")} at ${flags.rate} requests a second: ${traffic.outcomes.length} requests, ${failed.length} failed, ${slow.length} took longer than ${SLOW_MS / 1_000} s; ${traffic.placed.size} orders, lost ${lost}, unexpected ${unexpected}: stock and orders add up`,
  );
  return failed.length + lost + unexpected > 0 || (slow.length > 0 && !flags.patient) ? 1 : 0;

  function untilAnswered(count: number): Promise<void> {
    return until(`${count} requests are answered`, () => {
      const [ended] = cluster.ended();
      if (ended !== undefined) throw new Error(ended);
      return traffic.outcomes.length >= count;
    });
  }
}

/** Where the code before is not to be had, the next version that is made here takes the place of today's. */
function stepsOf(asked: readonly string[]): readonly string[] {
  if (!asked.includes("upgrade") || "dir" in before) return asked;
  say(`${before.reason}: what is upgraded is today's code, to a version that has a migration more in each module`);
  return ["expand", ...asked.filter((step) => step !== "upgrade" && step !== "expand")];
}

async function take(step: string): Promise<void> {
  switch (step) {
    case "upgrade":
      return upgrade(TODAY);
    case "restart":
      for (const service of cluster.services) await cluster.roll(service, TODAY);
      return;
    case "expand":
      await addColumns(next, database);
      return upgrade(next.dir);
    case "back":
      return rollAll(TODAY);
    default:
      throw new Error(`--steps: expected some of upgrade, restart, expand, back, and not ${step}`);
  }
}

/** As `kubectl apply -k` does: the Job, and all Deployments at once. */
async function upgrade(code: string): Promise<void> {
  say((await cluster.migrate(code)).trim().replaceAll("\n", "\n          "));
  await rollAll(code);
}

async function rollAll(code: string): Promise<void> {
  await Promise.all(cluster.services.map((service) => cluster.roll(service, code)));
}
