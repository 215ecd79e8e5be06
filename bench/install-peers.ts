import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * The programs of others that the shop is compared with. They have a package.json of their own, so that nothing of the shop needs
 * them; what they share with it (better-sqlite3, jsonwebtoken, uuid) they find in its packages, so that both have the same version.
 */
export const PEERS = new URL("peers", import.meta.url).pathname;

/** Installs what the peers need, unless it is there: `npm ci --prefix bench/peers`. */
export function installPeers(): void {
  if (existsSync(join(PEERS, "node_modules/moleculer"))) return;
  console.error("npm ci --prefix bench/peers");
  execFileSync("npm", ["ci", "--prefix", PEERS, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
