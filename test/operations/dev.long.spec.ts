import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts, type ShopProcess, startShopProcess, until, untilReady } from "../support/process.ts";
import { TEST_SETTINGS } from "../support/topology.ts";
import { copyCode, type NextCode } from "../system/next-code.ts";

describe("npm run dev", () => {
  let code: NextCode;
  let data: string;
  let dev: ShopProcess;
  let url: string;

  before(async () => {
    code = await copyCode();
    data = await mkdtemp(join(tmpdir(), "quartet-dev-"));
    const [port = 0] = await freePorts(1);
    url = `http://127.0.0.1:${port}`;
    const env = { ...TEST_SETTINGS, PORT: `${port}`, DATA_DIR: data };
    dev = startShopProcess({ env, args: ["dev"], cwd: data, code: code.dir });
    await untilReady(url, [dev]);
  });
  after(async () => {
    await dev?.terminate();
    await code?.remove();
    await rm(data, { recursive: true, force: true });
  });

  const starts = () => dev.output().split("starting again").length - 1;

  async function startsAgainWhen(what: string, change: () => Promise<void>): Promise<void> {
    const before = starts();
    await change();
    await until(`it starts again: ${what}`, () => starts() > before);
    await untilReady(url, [dev]);
  }

  it("starts again at each change of a file: written in its place, replaced by another, and written again", async () => {
    const file = join(code.dir, "src/http/path.ts");
    const write = () => appendFile(file, "// a line more\n");
    await startsAgainWhen("written", write);
    await startsAgainWhen("replaced", async () => {
      await writeFile(`${code.dir}/next`, await readFile(file));
      await rename(`${code.dir}/next`, file);
    });
    await startsAgainWhen("written again", write);
    await startsAgainWhen("a new one", () => writeFile(join(code.dir, "src/http/new.ts"), ""));
  });

  it("tells of code that cannot start, and starts what is mended", async () => {
    const file = join(code.dir, "src/http/path.ts");
    const good = await readFile(file, "utf8");
    await writeFile(file, `${good}throw new Error("not yet");\n`);
    await until("it has ended", () =>
      dev.output().includes("It has ended (1). A change of the source starts it again."),
    );
    await writeFile(file, good);
    await untilReady(url, [dev]);
  });
});
