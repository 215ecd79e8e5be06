import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import type { PageOptions } from "./follow.ts";

const execute = promisify(execFile);
const LOGS = { maxBuffer: 64 * 1024 * 1024 };
let pages = 0;

/** For a page that starts containers. @param sections those that can only be followed where a Docker engine answers */
export function containers(sections: readonly string[]): PageOptions {
  pages += 1;
  const project = `quartet-docs-${process.pid}-${pages}`;
  return {
    needs: Object.fromEntries(sections.map((section) => [section, hasDocker])),
    // An image of its own, so that nobody who runs the real one gets what a page has made of it.
    prepare: async () => ({ COMPOSE_PROJECT_NAME: project, IMAGE: project }),
    async told() {
      if (!hasDocker()) return "";
      const { stdout } = await execute("docker", ["compose", "-p", project, "logs", "--timestamps"], LOGS);
      return stdout;
    },
    async cleanUp() {
      if (!hasDocker()) return;
      await execute("docker", ["compose", "-p", project, "down", "--volumes", "--timeout", "3"]);
      await execute("docker", ["image", "rm", "--force", project]);
    },
  };
}

function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
