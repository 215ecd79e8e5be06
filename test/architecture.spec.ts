import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { cruise, type ICruiseOptions, type ICruiseResult } from "dependency-cruiser";

const root = fileURLToPath(new URL("..", import.meta.url));
const fixture = fileURLToPath(new URL("fixtures/boundaries", import.meta.url));

/** Every rule, and the import in the fixture that breaks it. */
const BROKEN: Readonly<Record<string, readonly string[]>> = {
  "no-circles": ["src/bus/circle.ts → src/bus/half.ts"],
  "no-orphans": ["src/dead.ts → src/dead.ts"],
  "no-dev-packages": ["src/gateway/needs-sqlite.ts → chai"],
  "module-through-contract": ["src/modules/products/index.ts → src/modules/orders/store.ts"],
  "module-through-index": ["src/runtime/compose.ts → src/modules/orders/store.ts"],
  "module-knows-no-transport": [
    "src/modules/products/index.ts → koa",
    "src/modules/products/index.ts → src/bus/memory/bus.ts",
  ],
  "sqlite-in-store": ["src/gateway/needs-sqlite.ts → better-sqlite3"],
  "awilix-in-runtime": ["src/gateway/needs-sqlite.ts → awilix"],
  "runtime-on-top": ["src/gateway/needs-runtime.ts → src/runtime/compose.ts"],
  "contract-is-the-ground": ["src/contract/needs-store.ts → src/store/open.ts"],
  "store-on-contract": ["src/store/needs-bus.ts → src/bus/bus.ts"],
  "bus-on-store": ["src/bus/needs-module.ts → src/modules/orders/contract.ts"],
  "gateway-on-contract": [
    "src/gateway/needs-module.ts → src/modules/orders/contract.ts",
    "src/gateway/needs-runtime.ts → src/runtime/compose.ts",
  ],
};

/** Fewer modules than this means that the cruiser no longer reads TypeScript, and that its silence says nothing. */
const FLOOR = 100;

describe("architecture: boundaries", () => {
  it("hold in the source, all of which was read", async () => {
    const result = await cruiseTree(root);
    expect(violations(result)).to.deep.equal({});
    expect(result.summary.totalCruised).to.be.at.least(FLOOR);
  });

  it("are each broken by the fixture, and only where it means to", async () => {
    const result = await cruiseTree(fixture);
    expect(violations(result)).to.deep.equal(BROKEN);
  });

  it("each have a fixture", async () => {
    const { forbidden } = JSON.parse(await readFile(`${root}/.dependency-cruiser.json`, "utf8"));
    expect(forbidden.map(({ name }: { name: string }) => name)).to.have.members(Object.keys(BROKEN));
  });
});

describe("architecture: the environment", () => {
  it("is read in the runtime's configuration only, or the linter says so", async () => {
    const tree = await realpath(await mkdtemp(join(tmpdir(), "quartet-lint-")));
    try {
      const files = ["src/main.ts", "src/runtime/config.ts", "src/runtime/compose.ts", "src/modules/orders/index.ts"];
      await copyFile(join(root, "biome.json"), join(tree, "biome.json"));
      for (const file of files) {
        await mkdir(join(tree, dirname(file)), { recursive: true });
        await writeFile(join(tree, file), "export const url = process.env.REDIS_URL;\n");
      }
      const { stdout } = spawnSync("biome", ["lint", "--vcs-enabled=false", "--reporter=github"], { cwd: tree });
      const refused = files.filter((file) => stdout.includes(`title=lint/style/noProcessEnv,file=${tree}/${file},`));
      expect(refused, String(stdout)).to.have.members(files.filter((file) => file !== "src/runtime/config.ts"));
    } finally {
      await rm(tree, { recursive: true });
    }
  });
});

async function cruiseTree(baseDir: string): Promise<ICruiseResult> {
  const { forbidden, options } = JSON.parse(await readFile(`${root}/.dependency-cruiser.json`, "utf8"));
  const config: ICruiseOptions = { ...options, baseDir, validate: true, ruleSet: { forbidden } };
  const { output } = await cruise(["src"], config);
  if (typeof output === "string") throw new Error("the cruiser answered text");
  return output;
}

/** What breaks each broken rule, packages by their plain names. */
function violations(result: ICruiseResult): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { rule, from, to } of result.summary.violations) {
    const name = /node_modules\/(?:@types\/)?([^/]+)/.exec(to)?.[1] ?? to;
    found[rule.name] = [...(found[rule.name] ?? []), `${from} → ${name}`];
  }
  for (const list of Object.values(found)) list.sort();
  return found;
}
