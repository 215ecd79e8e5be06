import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { followPage } from "./follow.ts";

const execute = promisify(execFile);

/** Of the containers that pages start. */
const project = `quartet-docs-${process.pid}`;

describe("how-to pages, followed to the letter", () => {
  followPage("docs/how-to/add-a-module.md", {
    needs: { "8. Run it as a fifth container": hasDocker },
    prepare: async () => ({ COMPOSE_PROJECT_NAME: project }),
    cleanUp: async () => {
      if (hasDocker()) await execute("docker", ["compose", "-p", project, "down", "--volumes", "--timeout", "3"]);
    },
    timeoutMs: 300_000,
  });
  followPage("docs/how-to/add-an-event.md");
  followPage("docs/how-to/extract-a-module.md");
  followPage("docs/how-to/rotate-keys.md");
});

function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
