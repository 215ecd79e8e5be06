import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { oneProcess, type Shop } from "../support/topology.ts";
import { readPage } from "./page.ts";

const run = promisify(execFile);

describe("the README and the tutorial", () => {
  let shop: Shop;

  before(async () => {
    shop = await oneProcess.start();
  });
  after(() => shop.stop());

  it("can be followed one after the other, and each twice, in one shop", async () => {
    const readme = commands("README.md", ["The same with curl"]);
    const tutorial = commands("docs/tutorial.md", ["1. One process", "2. A customer and an order"]);
    const script = ["set -euo pipefail", readme, readme, tutorial, tutorial].join("\n");
    const env = { ...process.env, PORT: new URL(shop.url).port };
    const { stdout } = await run("bash", ["-c", script], { env });
    expect(stdout).to.not.include("undefined").and.not.include("/problems/");
    expect(stdout.match(/"status":"confirmed"/g)).to.have.length(2);
    expect(stdout.match(/^confirmed$/gm)).to.have.length(2);
  });
});

/** What a reader types in these sections of a page. */
function commands(path: string, headings: readonly string[]): string {
  const text = readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
  const sections = readPage(text).filter(({ heading }) => headings.includes(heading));
  expect(sections.map(({ heading }) => heading)).to.deep.equal(headings);
  const steps = sections.flatMap((section) => section.steps);
  return steps.flatMap((step) => (step.kind === "run" ? [step.script] : [])).join("\n");
}
