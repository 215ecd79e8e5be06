import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import { oneProcess, type Shop } from "../support/topology.ts";
import { commandsOf } from "./commands.ts";
import { patiently } from "./patiently.ts";

const run = promisify(execFile);

describe("the README and the tutorial", () => {
  let shop: Shop;

  before(async () => {
    shop = await oneProcess.start();
  });
  after(() => shop.stop());

  it("can be followed one after the other, and each twice, in one shop", async () => {
    const readme = commandsOf("README.md", ["The same with curl"]);
    const tutorial = commandsOf("docs/tutorial.md", ["1. One process", "2. A customer and an order"]);
    const script = patiently(["set -euo pipefail", readme, readme, tutorial, tutorial].join("\n"));
    const env = { ...process.env, PORT: new URL(shop.url).port };
    const { stdout } = await run("bash", ["-c", script], { env });
    expect(stdout).to.not.include("undefined").and.not.include("/problems/");
    expect(stdout.match(/"status":"confirmed"/g)).to.have.length(2);
    expect(stdout.match(/^confirmed$/gm)).to.have.length(2);
  });
});
