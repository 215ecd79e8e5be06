import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { reachableUrl } from "../../base/origin.ts";
import { Refusal } from "../../base/refusal.ts";
import { type Arguments, type Config, environmentWith, ownDatabase, portFlag, portOf } from "../../runtime/config.ts";
import { moduleNames, type ServiceName, serviceNames } from "../../runtime/modules.ts";
import { createOutput } from "../../runtime/output.ts";
import { urlSetting } from "../../runtime/settings.ts";
import { stopRequest } from "../../runtime/stop-request.ts";
import { describeData } from "../data-places.ts";
import { isReadyMessage } from "../greeting.ts";
import { hangRedis, killProducts, ordersApart, REDIS_ELSEWHERE } from "../supervising/controls.ts";
import { openSupervisorControl } from "../supervising/supervisor-control.ts";
import { type OwnRedis, startRedis } from "./own-redis.ts";
import { Supervised } from "./supervised.ts";

/** Time for the services to stop before the Redis that they use, and for that. */
const STOP_SERVICES_MS = 9_000;
const STOP_REDIS_MS = 800;

/** Prints a line, unless nobody reads. */
type Tell = (line: string) => void;

/** How far the ports of one replica are from those of the one before. */
const PORTS_APART = 10;
const MOST_REPLICAS = 9;

/** One process, and where it listens. */
interface Place {
  readonly service: ServiceName;
  /** As a person knows it: `orders`, or `orders 2`. */
  readonly name: string;
  readonly port: number;
}

/**
 * Runs each service in a process of its own, or in several alike, with a Redis: the topology of the containers, without containers. A
 * Redis that REDIS_URL names is used; else one is started. What ends is started again. Ends when it is asked to.
 * @param args the settings that were given as flags; every process gets them
 * @throws Refusal when a service cannot start, when there is no Redis, or no database that several processes can share
 */
export async function runFour({ config, flags }: Arguments, args: readonly string[]): Promise<void> {
  const places = placesOf(config, replicasOf(config, flags.get("REPLICAS")));
  const output = createOutput(process.stdout, () => {});
  const tell: Tell = (line) => output.write(`${line}\n`);
  for (const line of config.passedOver.values()) tell(line);
  const redis = config.REDIS_URL === undefined ? await startRedis(config.DATA_DIR, tell) : undefined;
  if (redis === undefined && config.REDIS_URL === undefined) return; // asked to stop
  tell(`Redis is ${redis === undefined ? "the one that REDIS_URL names" : `started here, at ${redis.url}`}.`);
  const fault = await serveUntilAsked(config, places, args, redis, tell);
  if (fault !== undefined) throw new Refusal(`${fault}, so all was stopped.`);
}

/** Resolves when all has stopped: what could not start, undefined when it was asked to stop. */
async function serveUntilAsked(
  config: Config,
  places: readonly Place[],
  args: readonly string[],
  redis: OwnRedis | undefined,
  tell: Tell,
): Promise<string | undefined> {
  const env = environmentOf(config, places, redis?.url ?? config.REDIS_URL);
  const greetings = new Map<number, string>();
  const services = places.map((place) => superviseService(place, args, env, tell, greetings));
  process.on("SIGUSR2", () => services.map(({ child }) => child?.kill("SIGUSR2"))); // see log-level.ts
  Promise.all(services.map(({ ready }) => ready)).then(() => {
    const [[, greeting = ""] = [], ...others] = [...greetings].sort(([one], [other]) => one - other);
    const elsewhere = others.map(([port]) => `  and at ${reachableUrl(config.HOST, port)}`);
    tell([greeting, ...elsewhere, `  ${describeData(config, serviceNames)}`, ""].join("\n"));
  });
  const products = services.filter((_, at) => places[at]?.service === "products");
  const controls = [ordersApart, killProducts(products), hangRedis(redis, REDIS_ELSEWHERE)];
  const names = [...services.map(({ name }) => name), ...(redis === undefined ? [] : ["Redis"])];
  const control = await openSupervisorControl(config, { names: () => names, controls: () => controls, tell });
  const asked = stopRequest.then(() => undefined);
  const fault = await Promise.race([asked, ...services.map(({ failed }) => failed)]);
  // Asked to stop first: nothing that was held down begins anew when that is undone.
  await Promise.all([...services.map((service) => service.stop(STOP_SERVICES_MS)), control.close()]);
  await redis?.process.stop(STOP_REDIS_MS);
  return fault;
}

/** What was passed over here is told once, and not left for the services to pass over. */
function environmentOf(config: Config, places: readonly Place[], redisUrl: string | undefined): NodeJS.ProcessEnv {
  const neighbours = moduleNames.map((name) => {
    const own = places.filter(({ service }) => service === name).map(({ port }) => reachableUrl(config.HOST, port));
    return [urlSetting(name), (config[urlSetting(name)] ?? own).join(",")];
  });
  return environmentWith({
    ...Object.fromEntries([...config.passedOver.keys()].map((name) => [name, undefined])),
    ...Object.fromEntries(neighbours),
    REDIS_URL: redisUrl,
    ...(process.stdout.isTTY && process.stdout.hasColors() ? { FORCE_COLOR: "1" } : {}), // through the pipes of this process
  });
}

/** @throws Refusal when several are asked for that have no database to share */
function replicasOf(config: Config, text = "1"): number {
  const count = Number(text);
  if (!/^\d$/.test(text) || count < 1) {
    throw new Refusal(`--replicas ${text}: expected a whole number from 1 to ${MOST_REPLICAS}`);
  }
  const inFiles = moduleNames.filter((name) => ownDatabase(config, name) === undefined);
  if (count > 1 && inFiles.length > 0) {
    const which = inFiles.length === moduleNames.length ? "" : ` of ${inFiles.join(" and ")}`;
    throw new Refusal(
      `--replicas ${text}: expected DATABASE_URL, the URL of a PostgreSQL, for one process serves a file${which}`,
    );
  }
  return count;
}

function placesOf(config: Config, replicas: number): Place[] {
  return serviceNames.flatMap((service) =>
    Array.from({ length: replicas }, (_, at) => ({
      service,
      name: replicas === 1 ? service : `${service} ${at + 1}`,
      port: portOf(config, service) + PORTS_APART * at,
    })),
  );
}

function superviseService(
  place: Place,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  tell: Tell,
  greetings: Map<number, string>,
): Supervised {
  return new Supervised({
    name: place.name,
    start: () => startService(place, args, env, tell),
    whenReady: (child) =>
      new Promise<void>((ready) => {
        child.on("message", (message) => {
          if (!isReadyMessage(message)) return;
          if (message.greeting !== undefined) greetings.set(place.port, message.greeting);
          ready();
        });
      }),
    end: (child) => child.kill("SIGTERM"),
    tell,
  });
}

function startService(
  { service, name, port }: Place,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  tell: Tell,
): ChildProcess {
  const program = [process.argv[1] ?? "", ...args, "--serve", service, portFlag(service), String(port)];
  // By the channel it tells that it is ready, and learns that this process has been killed.
  const child = spawn(process.execPath, program, { env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on("line", (line) => tell(`${name.padEnd(8)} │ ${line}`));
  }
  return child;
}
