import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StartedDockerComposeEnvironment } from "testcontainers";
import { areEventsApplied, type Databases, databasesIn, MODULES, type ModuleName } from "./databases.ts";
import { freePorts, until } from "./process.ts";
import { type Settings, type Shop, TEST_SETTINGS, type Topology } from "./topology.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const START_WITHIN_MS = 180_000;

/** Four containers and Redis, by the very docker-compose.yml that is shipped. */
export const containers: Topology = { name: "containers", start: startContainers };

/** Why no containers can be started here, undefined when they can. */
export async function whyNoContainers(): Promise<string | undefined> {
  try {
    await run("docker", ["info"]);
    await run("docker", ["compose", "version"]);
    return undefined;
  } catch (error) {
    const told = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    return `no Docker engine with Compose answers here${told && `: ${told.split("\n").at(-1)}`}`;
  }
}

async function startContainers(settings: Settings = {}): Promise<Shop> {
  // Ours to take down, so nothing else needs to watch over them; set before the library reads them.
  process.env.TESTCONTAINERS_RYUK_DISABLED ??= "true";
  process.env.TESTCONTAINERS_HOST_OVERRIDE ??= "127.0.0.1";
  const { DockerComposeEnvironment, Wait } = await import("testcontainers");
  const [port = 0] = await freePorts(1);
  const folder = await mkdtemp(join(tmpdir(), "quartet-containers-"));
  const environment = await new DockerComposeEnvironment(ROOT, "docker-compose.yml")
    .withProjectName(`quartet-test-${port}`)
    .withEnvironment({ ...TEST_SETTINGS, ...settings, PORT: String(port) })
    .withBuild()
    .withDefaultWaitStrategy(Wait.forHealthCheck())
    .withStartupTimeout(START_WITHIN_MS)
    .up();
  return new Containers(environment, `http://127.0.0.1:${port}`, folder);
}

class Containers implements Shop {
  readonly url: string;
  readonly #environment: StartedDockerComposeEnvironment;
  readonly #folder: string;

  constructor(environment: StartedDockerComposeEnvironment, url: string, folder: string) {
    this.#environment = environment;
    this.url = url;
    this.#folder = folder;
  }

  /** Copies what is in the volumes. */
  async databases(): Promise<(module: ModuleName) => string> {
    await Promise.all(
      MODULES.map(async (module) => {
        const copy = join(this.#folder, module);
        await rm(copy, { recursive: true, force: true });
        await mkdir(copy, { recursive: true });
        await run("docker", ["cp", `${this.#id(module)}:/data/.`, copy]);
      }),
    );
    return (module) => join(this.#folder, module, `${module}.db`);
  }

  async look(): Promise<Databases> {
    return databasesIn(await this.databases());
  }

  /** A copy that was made while its database was written to may not be readable; the next will be. */
  settled(): Promise<void> {
    const isSettled = () => areEventsApplied(() => this.look());
    return until("all events are applied", () => isSettled().catch(() => false), 60_000);
  }

  async loseRedis(): Promise<void> {
    await run("docker", ["kill", this.#id("redis")]);
  }

  async returnRedis(): Promise<void> {
    await run("docker", ["start", this.#id("redis")]);
  }

  async stop(): Promise<void> {
    await this.#environment.down({ removeVolumes: true });
    await rm(this.#folder, { recursive: true, force: true });
  }

  #id(service: string): string {
    return this.#environment.getContainer(`${service}-1`).getId();
  }
}
