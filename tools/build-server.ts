import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin } from "rolldown";

/**
 * Writes the server into a few files of dist/server, with most packages in them: a process that need not look for 500 files starts in 0.7 of
 * the time, and with some MB less (docs/adr/0023-the-server-is-built.md). bin/main.js runs them, or else the source.
 */
const ROOT = join(import.meta.dirname, "..");
const BUILT = join(ROOT, "dist/server");

/** Packages that have files of theirs beside them, natives and workers, or are asked for by a path that a build does not see; and the drivers. */
const ASIDE = [/^better-sqlite3/, /^pg/, /^piscina/, /^pino/, /^undici/];

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

/** Of what files it was built, for bin/main.js to see whether they are still those. */
const builtFrom: Plugin = {
  name: "built-from",
  generateBundle() {
    const sources = [...this.getModuleIds()].filter((id) => id.startsWith(join(ROOT, "src/")));
    const stamps = [join(ROOT, "package-lock.json"), ...sources].map((file) => {
      const { size, mtimeMs } = statSync(file);
      return [relative(ROOT, file), `${size} ${Math.trunc(mtimeMs)}`];
    });
    this.emitFile({ type: "asset", fileName: "built-from.json", source: JSON.stringify(Object.fromEntries(stamps)) });
  },
};

await build({
  input: join(ROOT, "src/main.ts"),
  platform: "node",
  external: ASIDE,
  plugins: [placesOfSource, builtFrom],
  checks: { eval: false }, // of packages
  output: { dir: BUILT, cleanDir: true },
});
