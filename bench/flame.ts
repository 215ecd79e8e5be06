import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { openChromium } from "../test/console/chromium.ts";
import { positive } from "./flags.ts";
import { installPeers, PEERS } from "./install-peers.ts";
import { withShops } from "./shop.ts";

/**
 * Draws where the time of a shop in one process goes while it is asked for something: docs/screenshots/flame-orders.png. Equal stacks
 * lie side by side, the widest first, as speedscope's "left heavy" view has them.
 *
 *     node bench/flame.ts --ask orders --connections 32 --seconds 10
 */

const { values: flags } = parseArgs({
  options: {
    ask: { type: "string", default: "orders" },
    connections: { type: "string", default: "32" },
    seconds: { type: "string", default: "10" },
  },
});
const kind = flags.ask === "looks" ? "looks" : "orders";
const PICTURE = new URL(`../docs/screenshots/flame-${kind}.png`, import.meta.url).pathname;
const SIZE = { width: 1_600, height: 1_100 };
const DRAWN_WITHIN_MS = 60_000;

const folder = await mkdtemp(join(tmpdir(), "quartet-flame-"));
try {
  await profileShop(folder);
  await draw(await largest(folder));
  console.error(`drawn: ${PICTURE}`);
} finally {
  await rm(folder, { recursive: true });
}

/** Each thread of the shop leaves its profile in the folder when it ends. */
async function profileShop(folder: string): Promise<void> {
  process.env.NODE_OPTIONS = `--cpu-prof --cpu-prof-dir=${folder}`;
  await withShops([{ topology: "one" }], async ([shop]) => {
    const pace = { connections: positive("connections", flags.connections) };
    await shop?.load(kind, pace, positive("seconds", flags.seconds) * 1_000);
  });
}

/** The profile of the main thread, which does nearly all there is to do. */
async function largest(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".cpuprofile"));
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), size: (await stat(join(folder, name))).size })),
  );
  const [first] = files.sort((one, other) => other.size - one.size);
  if (first === undefined) throw new Error("the shop left no profile");
  return first.path;
}

/** Speedscope reads a file of this machine from a script, as its own command line does. */
async function draw(profile: string): Promise<void> {
  installPeers();
  const content = (await readFile(profile)).toString("base64");
  const script = join(folder, "profile.js");
  await writeFile(script, `speedscope.loadFileFromBase64("one.cpuprofile", "${content}")`);
  const viewer = pathToFileURL(join(PEERS, "node_modules/speedscope/dist/release/index.html"));
  viewer.hash = `localProfilePath=${script}`;
  const browser = await openChromium();
  try {
    const page = await browser.newPage({ viewport: SIZE });
    await page.goto(viewer.href);
    await page.getByText("Left Heavy").click({ timeout: DRAWN_WITHIN_MS });
    await page.waitForTimeout(1_000);
    await page.screenshot({ path: PICTURE });
  } finally {
    await browser.close();
  }
}
