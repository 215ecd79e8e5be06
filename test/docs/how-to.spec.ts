import { spawnSync } from "node:child_process";
import { followPage } from "./follow.ts";

describe("how-to pages, followed to the letter", () => {
  followPage("docs/how-to/add-a-module.md", {
    needs: { "8. Run it as a fifth container": hasDocker },
    prepare: async ({ dir }) => ({ BCRYPT_COST: "4", COMPOSE_PROJECT_NAME: dir.split("-").at(-1)?.toLowerCase() }),
    timeoutMs: 300_000,
  });
});

function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
