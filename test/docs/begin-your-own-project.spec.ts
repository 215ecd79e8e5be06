import { inWholeRun } from "../support/extent.ts";
import { followPage } from "./follow.ts";

inWholeRun("beginning a project of one's own, followed", () => {
  describe("beginning a project of one's own, followed to the letter", () => {
    followPage("docs/how-to/begin-your-own-project.md", { timeoutMs: 900_000 });
  });
});
