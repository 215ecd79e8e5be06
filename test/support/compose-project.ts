import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { freePorts } from "./process.ts";
import { TEST_SETTINGS } from "./topology.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Containers by the files of Compose that are shipped, as an operator has them, with names and an image of their own. */
export interface ComposeProject {
  readonly name: string;
  /** Of the gateway. */
  readonly url: string;
  /** What `docker compose` says. */
  compose(...args: readonly string[]): Promise<string>;
  /** The id of a service's container, running or not; a line for each where there are several. */
  container(service: string): Promise<string>;
  /** How often the engine has started it again by its policy, without Compose. */
  restarts(service: string): Promise<number>;
  /** Makes the engine's own check of a container now. Rejects where that finds it unhealthy. */
  checkHealth(service: string): Promise<void>;
  /**
   * Kills the program below the container's init, as the system does when memory is short: `docker kill` counts as an order.
   * @param user whose the program is, where that is not root
   */
  killProgram(service: string, user?: string): Promise<void>;
  /** Ends and deletes all of it, its image and its volumes too. */
  remove(): Promise<void>;
}

/** @param files those of the repository's root, one upon the other @param settings further variables */
export async function composeProject(
  files: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ComposeProject> {
  const [port = 0] = await freePorts(1);
  const name = `quartet-compose-${port}`;
  const own = {
    COMPOSE_PROJECT_NAME: name,
    COMPOSE_FILE: files.join(":"),
    IMAGE: name,
    PORT: `${port}`,
    BCRYPT_COST: TEST_SETTINGS.BCRYPT_COST,
    CALL_TIMEOUT: TEST_SETTINGS.CALL_TIMEOUT,
  };
  const env = { ...process.env, ...own, ...settings };
  const compose = async (...args: readonly string[]) =>
    (await run("docker", ["compose", ...args], { cwd: ROOT, env })).stdout.trim();
  const container = (service: string) => compose("ps", "--all", "--quiet", service);
  const inspect = async (service: string, what: string) =>
    docker("inspect", "--format", `{{${what}}}`, await container(service));
  return {
    name,
    url: `http://127.0.0.1:${port}`,
    compose,
    container,
    restarts: async (service) => Number(await inspect(service, ".RestartCount")),
    async checkHealth(service) {
      const [, ...command] = JSON.parse(await inspect(service, "json .Config.Healthcheck.Test")) as string[];
      await docker("exec", await container(service), ...command);
    },
    async killProgram(service, user = "") {
      const children = "kill -9 $(cat /proc/1/task/1/children)";
      const shell = ["exec", "--user", user, await container(service), "sh", "-c", children];
      await docker(...shell).catch(() => undefined); // the shell goes with it
    },
    async remove() {
      await compose("down", "--volumes", "--timeout", "3");
      await docker("image", "rm", "--force", name);
    },
  };
}

/** What `docker` says. */
export async function docker(...args: readonly string[]): Promise<string> {
  return (await run("docker", args)).stdout.trim();
}
