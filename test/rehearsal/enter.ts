import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { missingKubectl } from "../../tools/kubernetes/render.ts";
import { leftOut } from "../support/extent.ts";
import { missingPostgres } from "../support/postgres.ts";

const PLAY = fileURLToPath(new URL("play.ts", import.meta.url));

/** Where the names of the cluster are asked for. */
export const DNS = "127.0.0.53";

/** A network, mounts and processes of its own; whoever is not root has them as himself, in a user namespace. */
const APART = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
const AS_MYSELF = ["--user", "--map-current-user", "--keep-caps"];

/** Made before the program begins: a loopback, and the cluster's names for whoever asks the system. */
const PREPARE = `ip link set lo up && mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf`;

/** Why nothing can be rehearsed on this machine, which the report of the run then tells; undefined where it can. */
export function missingForRehearsal(): string | undefined {
  const reason = reasonOfMissing();
  if (reason !== undefined) leftOut.add(`a rehearsed rollout: ${reason}`);
  return reason;
}

function reasonOfMissing(): string | undefined {
  const entered = spawnSync("unshare", [...namespaces(), "ip", "link", "set", "lo", "up"], { encoding: "utf8" });
  if (entered.status !== 0) {
    return `it takes Linux, which lets us have namespaces of our own (unshare), and ip (iproute2): ${entered.error?.message ?? entered.stderr.trim()}`;
  }
  if (spawnSync("haproxy", ["-v"]).status !== 0) return "there is no haproxy on the path";
  return missingKubectl() ?? missingPostgres();
}

/**
 * Rehearses rollouts of the whole shop, apart from whatever else runs on this machine: its ports are those of the manifests, and their names
 * stand for addresses, as in a cluster.
 * @param args the command line of test/rehearsal/play.ts
 * @returns how it ended, and what it printed where that was not passed on
 */
export async function rehearse(
  args: readonly string[],
  { quiet }: { quiet: boolean },
): Promise<{ status: number | null; told: string }> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-rehearsal-"));
  try {
    await writeFile(join(folder, "resolv.conf"), `nameserver ${DNS}\n`);
    await writeFile(join(folder, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\n");
    const program = [process.execPath, PLAY, "--folder", folder, ...args];
    const child = spawn("unshare", [...namespaces(), "sh", "-c", `${PREPARE} && exec "$@"`, folder, ...program], {
      stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    });
    const killWithUs = () => child.kill("SIGKILL");
    process.once("exit", killWithUs);
    const [[status], told] = await Promise.all([once(child, "close"), toldBy(child)]);
    process.off("exit", killWithUs);
    return { status, told };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}

function namespaces(): readonly string[] {
  return process.getuid?.() === 0 ? APART : [...AS_MYSELF, ...APART];
}

async function toldBy({ stdout, stderr }: ChildProcess): Promise<string> {
  const all = [stdout, stderr].map((stream) => (stream === null ? "" : text(stream)));
  return (await Promise.all(all)).join("");
}
