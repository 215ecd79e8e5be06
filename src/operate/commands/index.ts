import { Refusal } from "../../base/refusal.ts";
import { type Arguments, readArguments, readConfig } from "../../runtime/config.ts";

/** What the program can do beside serving. */
export interface Command {
  /** What follows the word, as `--help` shows it. */
  readonly operands?: string;
  /** One line of `--help`. */
  readonly meaning: string;
  /** It runs until it is asked to stop, and sees to that itself; any other is left undone then. */
  readonly stopsItself?: true;
  /**
   * Prints what came of it. What only one command needs is loaded by it alone.
   * @param args what follows the word
   * @throws what keeps it from being done, for `run` to tell
   */
  run(args: readonly string[]): Promise<void>;
}

/** By the word that comes first on the command line. */
export const commands: Readonly<Record<string, Command>> = {
  topology: {
    meaning: "tell who serves what now, and who runs where and calls whom as the settings have it",
    async run(args) {
      const [{ describeProcesses }, { describeTopology }] = await Promise.all([
        import("./processes.ts"),
        import("./topology.ts"),
      ]);
      const config = readConfig(args);
      console.log(`${await describeProcesses(config.DATA_DIR)}\n\n${describeTopology(config)}`);
    },
  },
  dev: {
    meaning: "serve, and start again when the source changes",
    stopsItself: true,
    async run(args) {
      const { runDev } = await import("./dev.ts");
      await runDev(readArguments(args), args);
    },
  },
  four: {
    operands: "[--replicas N]",
    meaning: "run each service in a process of its own, or in N of them, with a Redis",
    stopsItself: true,
    async run(args) {
      const { runFour } = await import("./four.ts");
      await runFour(readArguments(args, { flags: [REPLICAS] }), withoutFlag(REPLICAS, args));
    },
  },
  "dead-letters": {
    operands: "[replay|discard ID]",
    meaning: "list the events that a module could not apply, or settle one",
    async run(args) {
      const { runDeadLetters } = await import("./dead-letters.ts");
      const { config, words } = readArguments(args, { words: Number.POSITIVE_INFINITY });
      console.log(await runDeadLetters(config, words));
    },
  },
  "keys:rotate": {
    meaning: "begin the rotation of the signing key, also while users is being served",
    async run(args) {
      const { rotateKeysOf } = await import("./rotate-keys.ts");
      console.log(await rotateKeysOf(readArguments(args).config));
    },
  },
  backup: {
    operands: "DIR",
    meaning: "copy the databases to a new folder DIR, also while they are being written to",
    async run(args) {
      const { backUp } = await import("./backup.ts");
      const { config, words } = readArguments(args, { words: 1 });
      console.log(await backUp(config, folderOf("backup", words)));
    },
  },
  restore: {
    operands: "DIR",
    meaning: "put the databases back from the backup in DIR, while their processes are stopped",
    async run(args) {
      const { restore } = await import("./restore.ts");
      const { config, words } = readArguments(args, { words: 1 });
      console.log(await restore(config, folderOf("restore", words)));
    },
  },
  migrate: {
    meaning: "bring the databases to the newest schema, in PostgreSQL also while they are served",
    async run(args) {
      const { migrateAll } = await import("./migrate.ts");
      await migrateAll(readArguments(args).config, (line) => console.log(line));
    },
  },
  "move-store": {
    operands: "--from X --to X",
    meaning: "move the databases from a folder to PostgreSQL or back, while their processes are stopped",
    async run(args) {
      const { moveStores } = await import("./move-store.ts");
      const given = readArguments(args, { flags: ["FROM", "TO"] });
      console.log(await moveStores(given, (line) => console.log(line)));
    },
  },
  move: {
    operands: "MODULE --to URL|--out|--here",
    meaning: "have a module served by another process from now on, or by its own again, while all serve",
    async run(args) {
      const { moveModule } = await import("./move.ts");
      const wanted = args.filter((arg) => arg === "--here" || arg === "--out");
      const others = args.filter((arg) => arg !== "--here" && arg !== "--out");
      console.log(await moveModule(readArguments(others, { flags: ["TO"], words: 1 }), wanted));
    },
  },
  reconcile: {
    operands: "[DIR]",
    meaning: "compare the modules' databases, or those in a folder; tell what does not add up, with status 1",
    async run(args) {
      const [{ BOOKKEEPERS }, { reconcileData }] = await Promise.all([import("./books.ts"), import("./reconcile.ts")]);
      const flags = BOOKKEEPERS.map((name) => name.toUpperCase());
      const given = readArguments(args, { flags, words: Number.POSITIVE_INFINITY });
      const { text, addsUp } = await reconcileData(given);
      console.log(text);
      if (!addsUp) process.exitCode = 1;
    },
  },
};

const REPLICAS = "REPLICAS";

/** The other arguments of a command line that could be read. */
function withoutFlag(name: string, args: readonly string[]): string[] {
  const flag = `--${name.toLowerCase()}`;
  return args.filter((arg, at) => arg !== flag && !arg.startsWith(`${flag}=`) && args[at - 1] !== flag);
}

/** The folder that a command is for. */
function folderOf(command: string, [folder = ""]: Arguments["words"]): string {
  if (folder === "") throw new Refusal(`${command} DIR: name the folder first`);
  return folder;
}
