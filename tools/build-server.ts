import { statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { build, type Plugin } from "rolldown";

/**
 * Writes the server into a few files of dist/server, with most packages in them: a process that need not look for 500 files starts in 0.7 of
 * the time, and with some MB less (docs/adr/0023-the-server-is-built.md). bin/main.js runs them, or else the source.
 */
const ROOT = join(import.meta.dirname, "..");
const BUILT = join(ROOT, "dist/server");
const RECORD = join(BUILT, "built-from.json");

/** Packages that have files of theirs beside them, natives and workers, or are asked for by a path that a build does not see; and the drivers. */
const ASIDE = [/^better-sqlite3/, /^pg/, /^piscina/, /^pino/, /^undici/];

/** What bin/main.js looks at before it runs what is built. */
interface BuildRecord {
  /** Of what it was built: each file's size in bytes, and its time in milliseconds since 1970. */
  readonly sources: Readonly<Record<string, readonly [size: number, mtimeMs: number]>>;
  /** What was built: the size of each file. */
  readonly files: Readonly<Record<string, number>>;
}

/** What a file of the source has beside it, a worker or a migration, is where it was. */
const placesOfSource: Plugin = {
  name: "places-of-source",
  transform: {
    filter: { id: /\/src\/.+\.ts$/, code: "import.meta.url" },
    handler(code, id) {
      const place = `new URL(${JSON.stringify(relative(BUILT, id))}, import.meta.url).href`;
      return code.replaceAll("import.meta.url", place);
    },
  },
};

let sources: BuildRecord["sources"] = {};
const noteSources: Plugin = {
  name: "note-sources",
  generateBundle() {
    const modules = [...this.getModuleIds()].filter((id) => id.startsWith(join(ROOT, "src/")));
    const stamps = [join(ROOT, "package-lock.json"), ...modules].map((file) => {
      const { size, mtimeMs } = statSync(file);
      return [relative(ROOT, file), [size, Math.trunc(mtimeMs)] as const];
    });
    sources = Object.fromEntries(stamps);
  },
};

const { output } = await build({
  input: join(ROOT, "src/main.ts"),
  platform: "node",
  external: ASIDE,
  plugins: [placesOfSource, noteSources],
  checks: { eval: false }, // of packages
  output: { dir: BUILT },
  write: false,
});
const chunks = output
  .filter((file) => file.type === "chunk")
  .toSorted((one, other) => Number(one.isEntry) - Number(other.isEntry));
const files = Object.fromEntries(chunks.map(({ fileName, code }) => [fileName, Buffer.byteLength(code)]));
const before = await filesBefore();
await mkdir(BUILT, { recursive: true });
// The entry after what it needs, which is named by what is in it, and the record last: who starts meanwhile runs what is whole, or the source.
for (const { fileName, code } of chunks) await replace(join(BUILT, fileName), code);
await replace(RECORD, JSON.stringify({ sources, files } satisfies BuildRecord));
// A process of the build before may still load what it has not needed yet.
const kept = new Set([...Object.keys(files), ...before]);
for (const name of await readdir(BUILT)) {
  if (name.endsWith(".js") && !kept.has(name)) await rm(join(BUILT, name), { force: true });
}

/** What the build before has written; nothing where there was none. */
async function filesBefore(): Promise<readonly string[]> {
  try {
    return Object.keys(JSON.parse(await readFile(RECORD, "utf8")).files);
  } catch {
    return [];
  }
}

/** Whoever reads the file has the one before, or this one, whole. */
async function replace(file: string, text: string): Promise<void> {
  const next = `${file}.${process.pid}`;
  await writeFile(next, text);
  await rename(next, file);
}
