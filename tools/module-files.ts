/** What a module begins with. */
export interface NewModule {
  /** In the plural: `shipments`. */
  readonly name: string;
  /** One of what it keeps: `shipment`. */
  readonly one: string;
  readonly calls: readonly string[];
  /** The events that it applies, one of each publisher, with an example. */
  readonly hears: readonly HeardEvent[];
}

export interface HeardEvent {
  readonly publisher: string;
  readonly type: string;
  /** A whole event, as it comes. */
  readonly example: object;
}

/** The files of a module that keeps one thing: made by a POST, or one for each event that it hears. By path, not yet formatted. */
export function filesOf(module: NewModule): Readonly<Record<string, string>> {
  const folder = `src/modules/${module.name}`;
  return {
    [`${folder}/contract.ts`]: contractOf(module),
    [`${folder}/index.ts`]: indexOf(module),
    [`${folder}/store.ts`]: storeOf(module),
    [`${folder}/migrations/0001-${module.name}.sql`]: migrationOf(module),
    [`${folder}/migrations/postgres/0001-${module.name}.sql`]: postgresMigrationOf(module),
    [`test/modules/${module.name}/${module.name}.spec.ts`]: specOf(module),
  };
}

/** The row of a module in the list of modules. */
export function rowOf({ name, calls, hears }: NewModule): string {
  const publishers = hears.map(({ publisher }) => publisher);
  return `  ${name}: {
    contract: ${name},
    calls: ${JSON.stringify(calls)},
    hears: ${JSON.stringify(publishers)},
    load: async () => (await import("../modules/${name}/index.ts")).create${capital(name)},
  },
`;
}

/** The column beside id and time: of what it hears the id, else a name. */
function columnOf({ hears }: NewModule): string {
  const [heard, ...more] = hears;
  if (heard === undefined) return "name";
  return more.length === 0 ? `${heard.type.split(".")[0]}_id` : "subject_id";
}

function contractOf(module: NewModule): string {
  const { name, one, hears } = module;
  const isHearing = hears.length > 0;
  const add = `
    add${capital(one)}: operation({
      method: "POST",
      path: "/${name}",
      access: "admin",
      idempotent: true,
      summary: "Add a ${one}",
      input: z.strictObject({ name: name(100).meta({ examples: ["My first"] }), idempotencyKey: idempotencyKey.optional() }),
      output: ${one}.extend({ replayed }),
      status: 201,
      problems: [],
      location: ({ id }) => \`/${name}/\${id}\`,
    }),`;
  return `import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import { id, ${isHearing ? "" : "idempotencyKey, name, "}page, pageQuery, ${isHearing ? "" : "replayed, "}timestamp } from "../../contract/schemas.ts";

export const ${one} = z
  .object({ id, ${isHearing ? `${columnOf(module)}: id` : `name: z.string().meta({ examples: ["My first"] })`}, created_at: timestamp })
  .meta({ id: "${capital(one)}" });

export const ${name} = defineContract({
  name: "${name}",
  problems: {},
  operations: {
    list${capital(name)}: operation({
      method: "GET",
      path: "/${name}",
      access: "admin",
      summary: "List all ${name}",
      input: z.strictObject(pageQuery),
      output: page(${one}),
      problems: [],
      paged: true,
    }),
    get${capital(one)}: operation({
      method: "GET",
      path: "/${name}/{id}",
      access: "admin",
      summary: "One ${one}",
      input: z.strictObject({ id }),
      output: ${one},
      problems: ["not-found"],
    }),${isHearing ? "" : add}
  },
  events: {},
});
`;
}

function indexOf(module: NewModule): string {
  const { name, one, calls, hears } = module;
  const isHearing = hears.length > 0;
  const publishers = hears.map(({ publisher }) => publisher);
  const neighbours = [...new Set([...publishers, ...calls])];
  const imports = neighbours.map((each) =>
    publishers.includes(each)
      ? `import { ${each} } from "../${each}/contract.ts";`
      : `import type { ${each} } from "../${each}/contract.ts";`,
  );
  const deps = calls.length === 0 ? `ModuleDeps<${capital(name)}Settings>` : `${capital(name)}Deps`;
  const subscriptions = hears.map(
    ({ publisher, type }) => `
      subscribeTo(${publisher}, {
        *"${type}"(unit, { subject, time }) {
          yield* kept.add(unit, { id: newId(), ${columnOf(module)}: subject, created_at: time });
        },
      }),`,
  );
  const add = `
      add${capital(one)}({ name }, ctx) {
        const ${one} = { id: newId(), name, created_at: new Date(now()).toISOString() };
        return kept.add(${one}, ctx.claim, beginning(ctx));
      },`;
  return `import { newId } from "../../base/id.ts";
import { Problem } from "../../base/problem.ts";
${isHearing ? `import { subscribeTo } from "../../bus/subscription.ts";\n` : ""}${calls.length > 0 ? `import type { ClientOf } from "../../contract/contract.ts";\n` : ""}${isHearing ? "" : `import { beginning } from "../../contract/in-time.ts";\n`}import { pageOf } from "../../contract/schemas.ts";
import { continueIds } from "../../store/continue-ids.ts";
import { sql } from "../../store/sql.ts";
import type { Module, ModuleDeps } from "../module.ts";
${imports.join("\n")}
import type { ${name} } from "./contract.ts";
import { create${capital(one)}Store } from "./store.ts";

/** There is nothing to set. */
export type ${capital(name)}Settings = Readonly<Record<string, never>>;
${
  calls.length === 0
    ? ""
    : `
interface ${capital(name)}Deps extends ModuleDeps<${capital(name)}Settings> {
${calls.map((each) => `  readonly ${each}: ClientOf<typeof ${each}>;`).join("\n")}
}
`
}
/** ${isHearing ? `One ${one} for each ${hears.map(({ type }) => type).join(" or ")} of ${publishers.join(" and ")}` : `${capital(name)}, by name`}. */
export function create${capital(name)}({ store${isHearing ? "" : ", now"} }: ${deps}): Module<typeof ${name}> {
  const kept = create${capital(one)}Store(store);
  return {
    handlers: {
      async list${capital(name)}({ cursor, limit }) {
        return pageOf(await kept.list(cursor, limit + 1), limit);
      },
      async get${capital(one)}({ id }) {
        const found = await kept.find(id);
        if (found === undefined) throw new Problem("not-found", "There is no such ${one}.");
        return found;
      },${isHearing ? "" : add}
    },
    subscriptions: [${subscriptions.join("")}],
    start: () => continueIds(store, sql\`${name}\`),
  };
}
`;
}

function storeOf(module: NewModule): string {
  const { name, one, hears } = module;
  const isHearing = hears.length > 0;
  const type = capital(one);
  const columns = `id, ${columnOf(module)}, created_at`;
  const insert = `sql\`INSERT INTO ${name} (\${COLUMNS}) VALUES (\${id}, \${${columnOf(module)}}, \${created_at})\``;
  const members = `{ ${columns} }`;
  const declared = isHearing
    ? `  /** In a unit of work: keeps a new one. */
  add(unit: Unit, ${one}: ${type}): Work<void>;`
    : `  /** Keeps a new one, and the answer to a retry. @param begin called first, throws when it is too late */
  add(${one}: ${type}, claim: Claim | undefined, begin: Begin): Promise<${type}>;`;
  const added = isHearing
    ? `*add(unit, ${members}) {
      yield* unit.run(${insert});
    },`
    : `add: (${one}, claim, begin) => store.write((unit) => add(unit, ${one}, claim, begin)),`;
  const program = isHearing
    ? ""
    : `
function* add(unit: Unit, ${one}: ${type}, claim: Claim | undefined, begin: Begin): Work<${type}> {
  begin();
  const ${members} = ${one};
  yield* unit.run(${insert});
  if (claim !== undefined) yield* unit.keepAnswer(claim, ${one});
  return ${one};
}
`;
  return `import { MAX as MAX_ID } from "uuid";
import type { z } from "zod";
${isHearing ? "" : `import type { Claim } from "../../contract/claim.ts";\nimport type { Begin } from "../../contract/in-time.ts";\n`}import { sql } from "../../store/sql.ts";
import type { Store } from "../../store/store.ts";
import type { Unit, Work } from "../../store/unit.ts";
import type { ${one} } from "./contract.ts";

export type ${type} = z.output<typeof ${one}>;

/** All that is kept of ${name}, and all their SQL. What changes together is one method and one unit of work. */
export interface ${type}Store {
  /** At most \`limit\` with ids below \`before\`, newest first. */
  list(before: string | undefined, limit: number): Promise<${type}[]>;
  find(id: string): Promise<${type} | undefined>;
${declared}
}

const COLUMNS = sql\`${columns}\`;

export function create${type}Store(store: Store): ${type}Store {
  return {
    list: (before = MAX_ID, limit) =>
      store.read((reading) =>
        reading.all(
          sql<${type}>\`SELECT \${COLUMNS} FROM ${name} WHERE id < \${before} ORDER BY id DESC LIMIT \${limit}\`,
        ),
      ),
    find: (id) =>
      store.read((reading) => reading.get(sql<${type}>\`SELECT \${COLUMNS} FROM ${name} WHERE id = \${id}\`)),
    ${added}
  };
}
${program}`;
}

function migrationOf(module: NewModule): string {
  return `CREATE TABLE ${module.name} (
  id TEXT NOT NULL PRIMARY KEY,
  ${columnOf(module)} TEXT NOT NULL,
  created_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`;
}

/** The same for PostgreSQL, with SQLite's order of ids. */
function postgresMigrationOf(module: NewModule): string {
  return `CREATE TABLE ${module.name} (
  id TEXT COLLATE "C" PRIMARY KEY,
  ${columnOf(module)} TEXT NOT NULL,
  created_at TEXT NOT NULL
);
`;
}

function specOf(module: NewModule): string {
  const { name, one, hears } = module;
  const isHearing = hears.length > 0;
  const cases = hears.map(
    ({ type, example }) => `
  it("keeps one for each ${type}", async () => {
    const event: CloudEvent = ${JSON.stringify(example)};
    await apply(module, store, event);
    const { data } = await client.list${capital(name)}({}, admin);
    expect(data).to.have.length(1);
    expect(data[0]).to.include({ ${columnOf(module)}: event.subject, created_at: event.time });
    expect(await client.get${capital(one)}({ id: String(data[0]?.id) }, admin)).to.deep.equal(data[0]);
  });
`,
  );
  const added = `
  it("keeps what was added, and lists the newest first", async () => {
    const first = await client.add${capital(one)}({ name: "first" }, admin);
    const second = await client.add${capital(one)}({ name: "second" }, admin);
    expect(await client.get${capital(one)}({ id: first.id }, admin)).to.deep.equal(first);
    expect((await client.list${capital(name)}({}, admin)).data).to.deep.equal([second, first]);
  });

  it("adds one for a request that is sent again", async () => {
    const request = { name: "first", idempotencyKey: "a key" };
    const first = await client.add${capital(one)}(request, admin);
    expect(await client.add${capital(one)}(request, admin)).to.deep.equal({ ...first, replayed: true });
    expect((await client.list${capital(name)}({}, admin)).data).to.deep.equal([first]);
  });
`;
  const neighbours = module.calls.map((each) => `, ${each}: createClient(${each}, away)`).join("");
  const away = `
/** Nobody is called yet. */
const away: Callable = {
  contract: ${module.calls[0]},
  call: () => Promise.reject(new Problem("dependency-unavailable", "Nobody is there.")),
};
`;
  return `import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { pino } from "pino";
import { newId } from "../../../src/base/id.ts";
${module.calls.length > 0 ? `import { Problem } from "../../../src/base/problem.ts";\n` : ""}import { createService } from "../../../src/call/service.ts";
import { ${module.calls.length > 0 ? "type Callable, " : ""}type ClientOf, createClient } from "../../../src/contract/contract.ts";
${isHearing ? `import type { CloudEvent } from "../../../src/contract/event.ts";\n` : ""}import type { Module } from "../../../src/modules/module.ts";
import { ${name} } from "../../../src/modules/${name}/contract.ts";
import { create${capital(name)} } from "../../../src/modules/${name}/index.ts";
${module.calls.map((each) => `import { ${each} } from "../../../src/modules/${each}/contract.ts";\n`).join("")}import { openStore, type SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";
import { ${isHearing ? "apply, " : ""}codeOf, contextOf } from "../orders/shop.ts";

const admin = contextOf({ id: newId(), role: "admin" });
${module.calls.length > 0 ? away : ""}
describe("${capital(name)}", () => {
  let folder: string;
  let store: SqliteStore;
  let module: Module<typeof ${name}>;
  let client: ClientOf<typeof ${name}>;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "quartet-${name}-"));
    const migrations = new URL("../../../src/modules/${name}/migrations/", import.meta.url);
    store = openStore({ name: "${name}", file: join(folder, "${name}.db"), migrations });
    module = create${capital(name)}({ store, settings: {}, logger: pino({ level: "silent" }), now: Date.now${neighbours} });
    client = createClient(${name}, createService(${name}, module.handlers, { answers: store.answers, onUnexpected: (_, error) => expect.fail(String(error)) }));
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
${isHearing ? cases.join("") : added}
  it("knows none that is not there", async () => {
    expect(await codeOf(client.get${capital(one)}({ id: newId() }, admin))).to.equal("not-found");
  });

  it("are for an admin to see", async () => {
    expect(await codeOf(client.list${capital(name)}({}, contextOf({ id: newId(), role: "customer" })))).to.equal("forbidden");
  });
});
`;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
