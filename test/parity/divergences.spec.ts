import { readFile } from "node:fs/promises";
import { expect } from "chai";

describe("docs/DIVERGENCES.md", () => {
  it("lists no difference, as the suite finds none", async () => {
    const text = await readFile(new URL("../../docs/DIVERGENCES.md", import.meta.url), "utf8");
    const [, listed] = text.split("\n## Differences\n");
    expect(listed?.trim()).to.equal("");
  });
});
