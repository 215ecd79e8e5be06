import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describeAll } from "../src/gateway/documents.ts";
import type { Module } from "../src/modules/module.ts";
import { DEMO_USERS } from "../src/modules/users/index.ts";
import { readConfig } from "../src/runtime/config.ts";
import { databaseIn, migrationsOf } from "../src/runtime/database-files.ts";
import { type ModuleName, modules, settingsOf } from "../src/runtime/modules.ts";
import { openStore } from "../src/store/engines/sqlite/open-store.ts";

/** What the page knows of a module before it has asked anything. */
interface PageModule {
  readonly name: ModuleName;
  /** Where it listens if nothing says otherwise. */
  readonly port: number;
  readonly calls: readonly string[];
  /** The types of events that it publishes. */
  readonly publishes: readonly string[];
  /** Publisher → types of its events that it applies. */
  readonly applies: Readonly<Record<string, readonly string[]>>;
  readonly operations: readonly PageOperation[];
}

interface PageOperation {
  readonly id: string;
  readonly method: string;
  /** With the query that it needs; `{names}` stand for what is not known before. */
  readonly path: string;
  readonly access: string;
  readonly summary: string;
  /** An example of its body. */
  readonly body?: unknown;
}

const HEAD = `// Written by \`npm run generate\` from src/runtime/modules.ts and what it names.

/** The modules, in the order of their list. */
export const modules = `;

/** The file of the console that tells it of the modules: from the list, the contracts, and what each module subscribes to. */
export async function describeForPage(listed: readonly Pick<PageModule, "name" | "port">[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-generate-"));
  try {
    const told: PageModule[] = [];
    for (const { name, port } of listed) told.push(await describe(name, port, folder));
    return `${HEAD}${JSON.stringify(told, null, 2)} as const;\n\n${customer()}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function customer(): string {
  const { email, password } = DEMO_USERS.find(({ role }) => role === "customer") ?? {};
  return `/** Whom a shop for trying out has from the start. */
export const demoCustomer: { readonly email: string; readonly password: string } | undefined = ${email === undefined ? "undefined" : JSON.stringify({ email, password })};
`;
}

async function describe(name: ModuleName, port: number, folder: string): Promise<PageModule> {
  const { contract, calls } = modules[name];
  const applies = await appliedTypes(name, folder);
  return { name, port, calls, publishes: Object.keys(contract.events), applies, operations: operationsOf(name) };
}

/** Makes the module to see what it subscribes to; nobody calls it, so that it needs no neighbour. */
async function appliedTypes(name: ModuleName, folder: string): Promise<PageModule["applies"]> {
  const store = openStore({ name, file: databaseIn(folder, name), migrations: migrationsOf(name) });
  const settings = settingsOf(name, readConfig(["--serve=all", "--node-env=test"]));
  const create = (await modules[name].load()) as (deps: object) => Module<never>;
  const module = create({ store, settings, logger: pino({ level: "silent" }), now: Date.now });
  const applied = module.subscriptions.map(({ publisher, types = [] }) => [publisher, types]);
  await module.stop?.();
  await store.close();
  return Object.fromEntries(applied);
}

interface Described {
  readonly parameters?: readonly { name: string; in: string; required: boolean; schema: { examples?: unknown[] } }[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly example: unknown } } };
}

function operationsOf(name: ModuleName): PageOperation[] {
  const { contract } = modules[name];
  const { paths } = describeAll([contract], "0").openapi;
  return Object.entries(contract.operations).map(([id, { method, path, access, summary }]) => {
    const { parameters = [], requestBody }: Described = paths[path]?.[method.toLowerCase()] ?? {};
    const needed = parameters.filter(({ in: where, required }) => where === "query" && required);
    const query = needed.map(({ name, schema }) => `${name}=${schema.examples?.[0] ?? ""}`).join("&");
    const body = requestBody?.content["application/json"].example;
    return {
      ...{ id, method, path: query === "" ? path : `${path}?${query}`, access, summary },
      ...(body === undefined ? {} : { body }),
    };
  });
}
