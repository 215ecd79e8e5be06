import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Says where it runs, what a file beside it holds, and what another file of the source does. */
const MAIN = `import { readFileSync } from "node:fs";
import { word } from "./word.ts";
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
});
