import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import Database from "better-sqlite3";
import { describeAll } from "../src/gateway/documents.ts";
import { ownRoutes } from "../src/gateway/own-routes.ts";
import { type ModuleName, moduleNames, modules, publicContracts } from "../src/runtime/modules.ts";
import type { HeardEvent, NewModule } from "./module-files.ts";

const USAGE =
  "npm run new:module NAME -- [--hears MODULE] [--calls MODULE], such as: npm run new:module shipments -- --hears orders";

/** What else has a name where a module's stands: in settings, in paths, on the page, in the code of a module. */
const TAKEN = [
  ...["gateway", "all", "client", "bus", "redis", "front", "back", "console", "assets", "events"],
  ...[
    "id",
    "page",
    "name",
    "text",
    "timestamp",
    "operation",
    "sql",
    "store",
    "unit",
    "module",
    "work",
    "problem",
    "contract",
    "index",
  ],
  ...Object.keys(ownRoutes).map((path) => path.split(/[/.]/)[1] ?? ""),
];

/** So that it has room in the diagram, too. */
const LONGEST = 12;

/**
 * What a command line asks for.
 * @throws Error that says in one line what is wrong with it
 */
export function readNewModule(args: readonly string[]): NewModule {
  const { name, hears, calls } = parse(args);
  if (!/^[a-z]+$/.test(name)) fail(`${name}: expected a word of small letters, such as shipments`);
  if (name.length > LONGEST) fail(`${name}: expected ${LONGEST} letters or fewer`);
  if (modules[name as ModuleName] !== undefined || existsSync(new URL(`../src/modules/${name}`, import.meta.url)))
    fail(`${name} is there already`);
  const one = singular(name);
  const taken = [name, one].find(
    (word) => TAKEN.includes(word) || moduleNames.some((other) => singular(other) === word),
  );
  if (taken !== undefined) fail(`${name}: ${taken} means something else already; take another name`);
  if (!isFree(name, one)) fail(`${name}: expected a word that is none of SQL's or JavaScript's own`);
  return { name, one, calls: calls.map(known), hears: hears.map(known).map(firstEvent) };
}

function parse(args: readonly string[]): { name: string; hears: string[]; calls: string[] } {
  try {
    const several = { type: "string", multiple: true, default: [] as string[] } as const;
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { hears: several, calls: several },
    });
    const [name, ...more] = positionals;
    if (name === undefined || more.length > 0) fail(USAGE);
    const listed = (names: string[]) => [...new Set(names.flatMap((each) => each.split(",")))];
    return { name, hears: listed(values.hears), calls: listed(values.calls) };
  } catch {
    fail(USAGE);
  }
}

function known(name: string): ModuleName {
  const found = moduleNames.find((each) => each === name);
  return found ?? fail(`${name}: there is no such module; there are ${moduleNames.join(", ")}`);
}

/** The event with which a publisher begins its contract, and an example of it. */
function firstEvent(publisher: ModuleName): HeardEvent {
  const [type] = Object.keys(modules[publisher].contract.events);
  if (type === undefined) fail(`${publisher} publishes no event that could be heard`);
  const message = describeAll(publicContracts, "0").asyncapi.components.messages?.[type];
  const { examples } = message as { readonly examples: readonly { readonly payload: object }[] };
  return { publisher, type, example: examples[0]?.payload ?? {} };
}

function singular(name: string): string {
  if (/ies$/.test(name)) return name.replace(/ies$/, "y");
  if (/(ss|x|ch|sh)es$/.test(name)) return name.replace(/es$/, "");
  return /[^s]s$/.test(name) ? name.slice(0, -1) : `${name}Entry`;
}

/** Whether a table and a variable may be called so. */
function isFree(table: string, variable: string): boolean {
  const database = new Database(":memory:");
  try {
    database.exec(`CREATE TABLE ${table} (${variable} TEXT)`);
    new Function(`"use strict"; const ${table} = 1, ${variable} = 2;`);
    return true;
  } catch {
    return false;
  } finally {
    database.close();
  }
}

function fail(message: string): never {
  throw new Error(message);
}
