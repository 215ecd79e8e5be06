import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Exit, until } from "../../support/process.ts";

const PROGRAM = fileURLToPath(new URL("./witness-process.ts", import.meta.url));

/** A process that writes notes for ever, and what it has made known of them. */
export interface Witness {
  /** Ids of notes: acknowledged, refused, read, told by the log. And whether the file is distrusted. */
  readonly known: Readonly<Record<"written" | "refused" | "shown" | "told" | "distrusted", ReadonlySet<string>>>;
  /** Settles when it has ended and all it said has been read. */
  readonly exited: Promise<Exit & { readonly complaint: string }>;
  /** Gives it the time to say what it knows, or to do wrong. Resolves once all that it said until then has been read. */
  turn(): Promise<void>;
  kill(): void;
}

/**
 * @param folder of its database
 * @param prefix of its notes' ids
 */
export function startWitness(folder: string, prefix: string, env: Readonly<Record<string, string>>): Witness {
  const child = spawn(process.execPath, [PROGRAM, prefix], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const known = {
    written: new Set<string>(),
    refused: new Set<string>(),
    shown: new Set<string>(),
    told: new Set<string>(),
    distrusted: new Set<string>(),
  };
  const turned = new Set<string>();
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [what, id] = line.split(" ");
    if (what === "turned" && id !== undefined) turned.add(id);
    if (what !== undefined && what in known && id !== undefined) known[what as keyof typeof known].add(id);
  });
  return {
    known,
    exited: once(child, "close").then(([code, signal]) => ({ code, signal, complaint })),
    async turn() {
      const before = turned.size;
      child.kill("SIGUSR2");
      await until("the witness has turned", () => turned.size > before);
    },
    kill: () => child.kill("SIGKILL"),
  };
}
