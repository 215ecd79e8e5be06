import { readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { fileURLToPath } from "node:url";
import { freePorts } from "../support/process.ts";
import { readPage } from "./page.ts";
import { createReader, type Reader } from "./reader.ts";
import { cloneRepository, type Scratch } from "./scratch.ts";

export interface PageOptions {
  /** Sections that need something of the machine: heading → whether it is there. */
  readonly needs?: Readonly<Record<string, () => boolean>>;
  /** Runs before the page is followed, for what only a test needs. Resolves more of the environment. */
  prepare?(): Promise<NodeJS.ProcessEnv>;
  /** What only a test can see, once a section has been followed. */
  readonly checks?: Readonly<Record<string, () => Promise<void>>>;
  /** What else is to be told of a step that failed. */
  told?(): Promise<string>;
  /** Ends what `prepare` began, and what the page left running. */
  cleanUp?(scratch: Scratch): Promise<void>;
  /** Time for one section, in milliseconds. */
  readonly timeoutMs?: number;
}

/** The places that a page would take; elsewhere in a test, so that nothing that runs on this machine is in the way. */
const PORTS = ["PORT", "USERS_PORT", "PRODUCTS_PORT", "ORDERS_PORT", "REVIEWS_PORT", "REDIS_PORT", "PROXY_PORT"];

/**
 * Declares the tests of a page: one for each section, in which everything that the section shows is done, in a
 * clone of the repository. After a section that failed the others are not tried.
 * @param path the page, from the repository's root
 */
export function followPage(
  path: string,
  { needs = {}, prepare, checks = {}, told, cleanUp, timeoutMs = 600_000 }: PageOptions = {},
): void {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  describe(path, function () {
    this.timeout(timeoutMs);
    let scratch: Scratch;
    let reader: Reader;
    let failed = false;

    before(async () => {
      scratch = await cloneRepository();
      const ports = await freePorts(PORTS.length);
      const env: NodeJS.ProcessEnv = {
        PATH: pathOfReader(),
        HOME: process.env.HOME,
        BCRYPT_COST: "4",
        CALL_TIMEOUT: "60000", // on a machine that does much else
        ...Object.fromEntries(PORTS.map((name, at) => [name, String(ports[at])])),
      };
      const more = await prepare?.();
      reader = await createReader(scratch.dir, { ...env, ...more }, `http://127.0.0.1:${env.PORT}`);
    });

    after(async () => {
      await reader?.leave();
      if (scratch !== undefined) await cleanUp?.(scratch);
      await scratch?.remove();
    });

    for (const { heading, steps } of readPage(readFileSync(file, "utf8"))) {
      it(heading, async function () {
        if (failed || needs[heading]?.() === false) this.skip();
        failed = true;
        await tellingMore(told, async () => {
          for (const step of steps) await reader.follow(step);
          await checks[heading]?.();
        });
        failed = false;
      });
    }
  });
}

/** @throws what `work` does, with what else is told of it */
async function tellingMore(told: PageOptions["told"], work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (told === undefined || !(error instanceof Error)) throw error;
    throw new Error(`${error.message}\n${await told()}`, { cause: error });
  }
}

/** Without the programs that packages bring, Node among them: npm puts those there for whoever calls it. */
function pathOfReader(): string {
  const folders = process.env.PATH?.split(delimiter) ?? [];
  return folders.filter((folder) => !folder.includes("node_modules")).join(delimiter);
}
