import { spawnSync } from "node:child_process";
import { copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
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
    "src/modules/products/index.ts → src/bus/bus.ts",
  ],
  "sqlite-in-store": ["src/gateway/needs-sqlite.ts → better-sqlite3"],
  "pg-in-store": ["src/runtime/needs-postgres.ts → pg"],
  "postgres-when-used": ["src/runtime/needs-postgres.ts → src/store/engines/postgres/open-store.ts"],
  "awilix-in-runtime": ["src/gateway/needs-sqlite.ts → awilix"],
  "gateway-knows-no-module": ["src/gateway/needs-module.ts → src/modules/orders/contract.ts"],
  "base-below-contract": ["src/base/up.ts → src/contract/up.ts"],
  "contract-below-identity": ["src/contract/up.ts → src/identity/up.ts"],
  "identity-below-call": ["src/identity/up.ts → src/call/up.ts"],
  "call-below-documents": ["src/call/up.ts → src/documents/up.ts"],
  "documents-below-http": ["src/documents/up.ts → src/http/up.ts"],
  "http-below-store": ["src/http/up.ts → src/store/up.ts"],
  "store-below-bus": ["src/store/up.ts → src/bus/up.ts"],
  "bus-below-telemetry": ["src/bus/up.ts → src/telemetry/up.ts"],
  "telemetry-below-health": ["src/telemetry/up.ts → src/health/up.ts"],
  "health-below-control": ["src/health/up.ts → src/control/up.ts"],
  "control-below-modules": ["src/control/up.ts → src/modules/orders/up.ts"],
  "modules-below-gateway": ["src/modules/orders/up.ts → src/gateway/up.ts"],
  "gateway-below-runtime": ["src/gateway/up.ts → src/runtime/up.ts"],
  "runtime-below-operate": ["src/runtime/up.ts → src/operate/up.ts"],
};

/** Fewer modules than this means that the cruiser no longer reads TypeScript, and that its silence says nothing. */
const FLOOR = 200;

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

describe("architecture: rooms", () => {
  it("stand in one order, which the page of the architecture tells and the rules hold", async () => {
    const page = await readFile(`${root}/docs/ARCHITECTURE.md`, "utf8");
    const told = [...page.matchAll(/^\| `src\/([a-z]+)\/`/gm)].map(([, room]) => room ?? "");
    const { forbidden } = JSON.parse(await readFile(`${root}/.dependency-cruiser.json`, "utf8"));
    const held = told.slice(0, -1).map((room, index) => ({
      name: `${room}-below-${told[index + 1]}`,
      from: { path: `^src/${room}/` },
      to: { path: `^src/(${told.slice(index + 1).join("|")})/` },
    }));
    const rules = forbidden.filter(({ name }: { name: string }) => name.includes("-below-"));
    expect(rules.map(({ name, from, to }: Record<string, unknown>) => ({ name, from, to }))).to.deep.equal(held);
    const entries = await readdir(`${root}/src`, { withFileTypes: true });
    expect(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)).to.have.members(told);
  });

  it("have folders that one can survey: at most 20 files in each", async () => {
    const entries = await readdir(`${root}/src`, { recursive: true, withFileTypes: true });
    const files = Map.groupBy(
      entries.filter((entry) => entry.isFile()),
      ({ parentPath }) => relative(root, parentPath),
    );
    const crowded = [...files].filter(([, { length }]) => length > 20).map(([folder, { length }]) => [folder, length]);
    expect(crowded).to.deep.equal([]);
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
