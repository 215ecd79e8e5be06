import { readFileSync, statSync } from "node:fs";
import * as modules from "node:module";

const root = `${import.meta.dirname}/../`;

/** Whether what `npm run build:server` has built is whole, and of the sources that are there now (tools/build-server.ts). */
function isBuilt() {
  try {
    const { sources, files } = JSON.parse(readFileSync(`${root}dist/server/built-from.json`, "utf8"));
    return (
      Object.entries(files).every(([file, size]) => statSync(`${root}dist/server/${file}`).size === size) &&
      Object.entries(sources).every(([file, stamp]) => isThatOf(statSync(root + file), stamp))
    );
  } catch {
    return false; // nothing is built, or a file has gone since
  }
}

/** What has come through an archive, as the layers of an image do, has its time in whole seconds. */
function isThatOf({ size, mtimeMs }, [builtSize, builtMs]) {
  const ms = Math.trunc(mtimeMs);
  return size === builtSize && (ms === builtMs || ms === builtMs - (builtMs % 1_000));
}

/** Ends where this Node is too old to read the code at all: by the name `node` a machine may have another than `npm ci` installs. */
function requireNode() {
  const { engines } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  console.error(
    `Quartet needs Node.js ${major}.${minor} or newer, and this is ${process.versions.node}. \`npm ci\` installs one, which npm's scripts find: npm run dev, npm start.`,
  );
  process.exit(1);
}

requireNode();
// In JavaScript: what is built, and what the cache has of the source, needs nothing of Node's that strips types: 40 ms and 12 MB of each process.
modules.enableCompileCache();
await import(isBuilt() ? "../dist/server/main.js" : "../src/main.ts");
