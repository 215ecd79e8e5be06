import { inWholeRun } from "../support/extent.ts";
import { containers } from "./containers.ts";
import { followPage } from "./follow.ts";

inWholeRun("the tutorial, followed", () => {
  describe("the tutorial, followed to the letter", () => {
    followPage("docs/tutorial.md", { ...containers(["5. Four containers"]), timeoutMs: 900_000 });
  });
});
