import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import type { PageOptions } from "./follow.ts";

const execute = promisify(execFile);
let pages = 0;

/** For a page that starts containers. @param sections those that can only be followed where a Docker engine answers */
export function containers(sections: readonly string[]): PageOptions {
  pages += 1;
  const project = `quartet-docs-${process.pid}-${pages}`;
  return {
    needs: Object.fromEntries(sections.map((section) => [section, hasDocker])),
    prepare: async () => ({ COMPOSE_PROJECT_NAME: project }),
    async cleanUp() {
      if (hasDocker()) await execute("docker", ["compose", "-p", project, "down", "--volumes", "--timeout", "3"]);
    },
  };
}

function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
