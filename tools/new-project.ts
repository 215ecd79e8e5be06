import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Begins a project of one's own from this one: `npm run new:project -- ../my-shop`. Copies what git knows of, names it after
 * the folder, leaves out what is about Quartet itself, and drops the demo: its accounts, its products, and the tests of both.
 * The licence stays, as it asks for. Ends with status 1 and one line when the folder will not do.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What tells of Quartet, or tests the demo: a project of one's own begins without. */
const LEFT_OUT = [
  ".ci",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/how-to/begin-your-own-project.md",
  "docs/screenshots",
  "docs/tutorial.md",
  "test/console/new-module.long.spec.ts",
  "test/console/screenshots.ts",
  "test/docs",
  "test/modules/products/demo-products.spec.ts",
  "test/modules/users/demo-users.spec.ts",
  "tools/new-project.ts",
];

const SCRIPTS_LEFT_OUT = ["new:project", "screenshots"];

/** The files that hold the demo, and what is left of each. */
const WITHOUT_DEMO: Readonly<Record<string, readonly [from: RegExp, to: string]>> = {
  "src/modules/users/demo-users.ts": [/= \[\n[\s\S]*?\n\];/, "= [];"],
  "console/src/model/modules.ts": [/(demoCustomer: .*\| undefined) = \{[\s\S]*?\n\};/, "$1 = undefined;"],
  "src/modules/products/demo-products.ts": [/= \[\n[\s\S]*$/, "= [];\n"],
};

/** Texts that are not about us: a notice that has to stay, and words that people choose. */
const NOT_RENAMED = ["LICENSE", "common-passwords.txt"];

/** A name that npm, Compose, a custom element and a URL take as it is. */
const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const [target, ...more] = process.argv.slice(2);
if (target === undefined || more.length > 0) fail("new:project FOLDER: name one folder, such as ../my-shop");
const folder = resolve(target);
const name = basename(folder);
if (!NAME.test(name)) fail(`${name}: expected a name of small letters, digits and single hyphens, such as my-shop`);
if (existsSync(folder) && readdirSync(folder).length > 0) fail(`${folder} is not empty; name a new folder`);
if (!relative(ROOT, folder).startsWith("..")) fail(`${folder} is inside this project; name a folder beside it`);

copy();
rename();
dropDemo();
describePackage();
writeFileSync(join(folder, "README.md"), readme());
format();
console.log(`${title()} is in ${folder}. Now:\n\n  cd ${target}\n  git init\n  npm ci\n  npm run check\n`);

/** What git lists, changes that are not committed included. */
function copy(): void {
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const listed = spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  if (listed.status !== 0) fail("this needs git, and a clone of the repository");
  for (const file of listed.stdout.split("\0")) {
    if (file === "" || !existsSync(join(ROOT, file)) || isLeftOut(file)) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
}

function isLeftOut(file: string): boolean {
  return LEFT_OUT.some((left) => file === left || file.startsWith(`${left}/`));
}

/** In all other texts. A name in code has no hyphens; the pages have no test there. */
function rename(): void {
  for (const file of filesIn(folder)) {
    const bytes = readFileSync(file);
    if (bytes.includes(0) || NOT_RENAMED.includes(basename(file))) continue;
    const text = bytes.toString("utf8");
    const renamed = text
      .replaceAll("quartet_", `${name.replaceAll("-", "_")}_`)
      .replaceAll("quartet", name)
      .replaceAll("Quartet", title())
      .replace(/\nA test follows this page to the letter \(.*\)\.\n/, "");
    if (renamed !== text) writeFileSync(file, renamed);
  }
}

function dropDemo(): void {
  for (const [file, [from, to]] of Object.entries(WITHOUT_DEMO)) {
    const text = readFileSync(join(folder, file), "utf8");
    const dropped = text.replace(from, to);
    if (dropped === text) throw new Error(`${file} has no demo that this finds`);
    writeFileSync(join(folder, file), dropped);
  }
}

function describePackage(): void {
  const file = join(folder, "package.json");
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  for (const script of SCRIPTS_LEFT_OUT) delete manifest.scripts[script];
  manifest.version = "0.1.0";
  manifest.description = `${title()}: one process, or any split of it`;
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

/** A name of another length breaks lines elsewhere, and sorts imports in another order. */
function format(): void {
  const biome = join(ROOT, "node_modules/.bin/biome");
  execFileSync(biome, ["check", "--write", "--log-level=error", "."], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}

function* filesIn(dir: string): Generator<string> {
  for (const entry of readdirSync(dir)) {
    const path = join(dir, entry);
    if (statSync(path).isDirectory()) yield* filesIn(path);
    else yield path;
  }
}

function title(): string {
  return name
    .split("-")
    .map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)
    .join(" ");
}

function readme(): string {
  return `# ${title()}

Users, products and orders behind one gateway, as one process or any split of it. Begun from Quartet.

    npm ci
    ADMIN_EMAIL=you@example.com ADMIN_PASSWORD='a long password of yours' npm run dev

Then open <http://127.0.0.1:8000>, sign in, and add your first product. There are no accounts and no products but yours.

* [docs/ARCHITECTURE.md](docs/ARCHITECTURE.md) is one page on how it works; \`src/runtime/modules.ts\` is the whole system.
* [docs/how-to](docs/how-to) tells how to add a module, an endpoint or an event, and how to run it. Where a page signs in as
  \`admin@example.com\`, take the admin that you have made.
* \`npm test\` runs a short leg of every test, \`npm run check\` types, lint and boundaries.
`;
}
