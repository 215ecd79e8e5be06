import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { expect } from "chai";
import { INCARNATION } from "../../../src/store/engines/postgres/incarnation.ts";
import type { EventLog, LogEntry } from "../../../src/store/store.ts";
import { copyPostgresServer, type PostgresServer, programOf } from "../../support/postgres.ts";
import { addNote } from "../temporary-store.ts";
import { temporaryPostgres } from "./temporary-postgres.ts";

const run = promisify(execFile);

type Parts = Readonly<Record<keyof typeof INCARNATION, string>>;

describe("what a PostgreSQL that may have forgotten rows calls the next ones", function () {
  this.timeout(120_000);
  const postgres = temporaryPostgres();
  const servers: PostgresServer[] = [];
  let first: LogEntry;
  let before: Parts;

  beforeEach(async () => {
    postgres.begin();
    first = await write(postgres.server, "first");
    before = await partsOf(postgres.server);
  });
  afterEach(async () => {
    await postgres.end();
    for (const server of servers.splice(0)) await server.stop();
  });

  /** @returns the row of the note, which comes after the one before */
  async function write(server: PostgresServer, id: string): Promise<LogEntry> {
    const store = await postgres.open({ url: server.url });
    await store.write(addNote(id));
    const row = await newest(store.log);
    expect(JSON.parse(row.event).subject).to.equal(id);
    return row;
  }

  async function partsOf(server: PostgresServer): Promise<Parts> {
    const columns = Object.entries(INCARNATION).map(([name, { strings }]) => `(${strings.join()})::text AS "${name}"`);
    const [parts] = await server.query<Parts>(`SET search_path = "${postgres.schema}"; SELECT ${columns}`);
    if (parts === undefined) throw new Error("it names none");
    return parts;
  }

  /** It has another epoch, by these parts and no others. */
  async function requireAnother(server: PostgresServer, changed: readonly (keyof Parts)[]): Promise<void> {
    const next = await write(server, "next");
    expect([next.seq, next.previousEpoch]).to.deep.equal([2, first.epoch]);
    expect(next.epoch).not.to.equal(first.epoch);
    const after = await partsOf(server);
    const different = Object.keys(INCARNATION).filter(
      (part) => after[part as keyof Parts] !== before[part as keyof Parts],
    );
    expect(different).to.deep.equal(changed);
  }

  async function copy(options: readonly string[], settings: readonly string[] = []): Promise<PostgresServer> {
    const server = await copyPostgresServer(postgres.server, options, settings);
    servers.push(server);
    return server;
  }

  it("a standby that was promoted: another timeline, and its own start", async () => {
    const standby = await copy(["-R"]);
    await standby.query("SELECT pg_promote()");
    await requireAnother(standby, ["timeline", "startedAt"]);
  });

  it("a restore to a point in time: another timeline, and its own start", async () => {
    const restored = await copy(["-R"], ["recovery_target=immediate", "recovery_target_action=promote"]);
    await untilWritable(restored);
    await requireAnother(restored, ["timeline", "startedAt"]);
  });

  it("a copy of its data that was started: its own start", async () => {
    await requireAnother(await copy([]), ["startedAt"]);
  });

  it("a server that was killed and started again: its new start", async () => {
    await postgres.end();
    await postgres.server.kill();
    await postgres.server.start();
    await requireAnother(postgres.server, ["startedAt"]);
  });

  it("a dump that was restored into the same server: another table", async () => {
    await postgres.end();
    const { url, query, dir } = postgres.server;
    const file = `${dir}/dump`;
    await run(programOf("pg_dump"), ["-d", url, "-n", postgres.schema, "-Fc", "-f", file]);
    await query(`DROP SCHEMA ${postgres.schema} CASCADE`);
    await run(programOf("pg_restore"), ["-d", url, "--exit-on-error", file]);
    await requireAnother(postgres.server, ["table"]);
  });
});

async function newest(log: EventLog): Promise<LogEntry> {
  const row = await log.entry((await log.head())?.seq ?? 0);
  if (row === undefined) throw new Error("the log is empty");
  return row;
}

async function untilWritable(server: PostgresServer): Promise<void> {
  const isStandby = async () => (await server.query<{ is: boolean }>("SELECT pg_is_in_recovery() AS is"))[0]?.is;
  for (let left = 1_000; await isStandby(); left -= 1) {
    if (left === 0) throw new Error("it stays a standby");
    await sleep(20);
  }
}
