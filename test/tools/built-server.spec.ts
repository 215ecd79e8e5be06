import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Says where it runs, what a file beside it holds, and what another file of the source does; and loads a third when it is told to. */
const MAIN = `import { readFileSync } from "node:fs";
import { word } from "./word.ts";
if (process.argv[2] === "wait") process.stdin.once("data", async () => console.log((await import("./later.ts")).later));
const place = new Error("here").stack?.includes("/dist/server/") ? "built" : "source";
console.log(place, readFileSync(new URL("beside.txt", import.meta.url), "utf8"), word);
`;

/** In a folder with a source of its own, by the very files of this one. */
describe("bin/main.js", () => {
  let folder: string;

  before(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), "quartet-built-")));
    for (const each of ["bin", "src", "tools"]) await mkdir(join(folder, each));
    for (const file of ["bin/main.js", "tools/build-server.ts", "package.json", "package-lock.json"]) {
      await cp(join(ROOT, file), join(folder, file));
    }
    await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
    await write("src/main.ts", MAIN);
    await write("src/word.ts", 'export const word: string = "first";\n');
    await write("src/later.ts", 'export const later: string = "as it was";\n');
    await write("src/beside.txt", "beside");
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const write = (file: string, text: string) => writeFile(join(folder, file), text);
  const build = () => run(process.execPath, ["tools/build-server.ts"], { cwd: folder });
  const said = async () => (await run(process.execPath, ["bin/main.js"], { cwd: folder })).stdout.trim();

  it("runs the source where nothing is built", async () => {
    expect(await said()).to.equal("source beside first");
  });

  it("runs what is built of the source, which finds what lies beside the source", async () => {
    await build();
    expect(await said()).to.equal("built beside first");
    await write("src/beside.txt", "by now");
    expect(await said()).to.equal("built by now first");
  });

  it("runs the source once any of it is another, though it be as long, until it is built again", async () => {
    await write("src/word.ts", 'export const word: string = "other";\n');
    expect(await said()).to.equal("source by now other");
    await build();
    expect(await said()).to.equal("built by now other");
  });

  it("runs the source once it imports other files, or its packages are others", async () => {
    await write("src/main.ts", MAIN.replace("./word.ts", "./more.ts"));
    await write("src/more.ts", 'export const word: string = "more";\n');
    await rm(join(folder, "src/word.ts"));
    expect(await said()).to.equal("source by now more");
    await build();
    expect(await said()).to.equal("built by now more");
    await utimes(join(folder, "package-lock.json"), new Date(), new Date());
    expect(await said()).to.equal("source by now more");
  });

  it("runs what is built where an archive has left the times of the source in whole seconds", async () => {
    await build();
    for (const name of await readdir(join(folder, "src"))) {
      const file = join(folder, "src", name);
      const seconds = Math.trunc((await stat(file)).mtimeMs / 1_000);
      await utimes(file, seconds, seconds);
    }
    expect(await said()).to.equal("built by now more");
  });

  for (const [damage, harm] of [
    ["is cut short", (file: string) => writeFile(file, "")],
    ["is gone", (file: string) => rm(file)],
  ] as const) {
    for (const part of ["main.js", "later-"]) {
      it(`runs the source where a file that was built ${damage}: ${part}`, async () => {
        await build();
        await harm(await builtFile(part));
        expect(await said()).to.equal("source by now more");
      });
    }
  }

  for (const record of ["", "null", "{}", "[]", '{"sources":{}}']) {
    it(`runs the source where the record of the build is not one: ${record}`, async () => {
      await build();
      await write("dist/server/built-from.json", record);
      expect(await said()).to.equal("source by now more");
    });
  }

  it("runs what is whole while it is built again and again", async () => {
    const texts = new Set<string>();
    let isBuilding = true;
    const builds = (async () => {
      for (let n = 1; n <= 4; n += 1) {
        await write("src/more.ts", `export const word: string = "more ${n}";\n`);
        await build();
      }
      isBuilding = false;
    })();
    while (isBuilding) texts.add(await said());
    await builds;
    expect([...texts].filter((text) => !/^(built|source) by now more( \d)?$/.test(text))).to.deep.equal([]);
    expect(await said()).to.equal("built by now more 4");
  });

  it("leaves a process that runs what it may still load, when it is built of another source, and nothing that is older", async () => {
    await build();
    const child = spawn(process.execPath, ["bin/main.js", "wait"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.setEncoding("utf8");
    await once(child.stdout, "data");
    const first = await builtFile("later-");
    await write("src/later.ts", 'export const later: string = "as it is";\n');
    await build();
    const told = once(child.stdout, "data");
    child.stdin.end("now");
    expect((await told)[0]).to.equal("as it was\n");
    expect((await once(child, "exit"))[0]).to.equal(0);
    await write("src/later.ts", 'export const later: string = "as it will be";\n');
    await build();
    const names = await readdir(join(folder, "dist/server"));
    expect(names, "of this build and of the one before").to.have.length(4);
    expect(names).to.not.include(basename(first));
  });

  it("ends where this Node is too old for the code, and says which is needed", async () => {
    const own = await readFile(join(folder, "package.json"), "utf8");
    await write("package.json", JSON.stringify({ type: "module", engines: { node: ">=99.1" } }));
    const { code, stderr } = await said().catch((error) => error);
    expect([code, stderr]).to.deep.equal([
      1,
      `Quartet needs Node.js 99.1 or newer, and this is ${process.versions.node}. \`npm ci\` installs one, which npm's scripts find: npm run dev, npm start.\n`,
    ]);
    await write("package.json", own);
  });

  /** @param start how its name begins, with which there is one */
  async function builtFile(start: string): Promise<string> {
    const dir = join(folder, "dist/server");
    const { files } = JSON.parse(await readFile(join(dir, "built-from.json"), "utf8"));
    return join(dir, Object.keys(files).find((name) => name.startsWith(start)) ?? start);
  }
});
