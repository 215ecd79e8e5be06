import { containers } from "./containers.ts";
import { followPage } from "./follow.ts";

describe("the tutorial, followed to the letter", () => {
  followPage("docs/tutorial.md", { ...containers(["5. Four containers"]), timeoutMs: 300_000 });
});
