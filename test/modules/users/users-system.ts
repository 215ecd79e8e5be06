import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { INVALID_SPAN_CONTEXT } from "@opentelemetry/api";
import { pino } from "pino";
import { isProblem, type Problem } from "../../../src/base/problem.ts";
import { createService } from "../../../src/call/service.ts";
import type { CallContext, Principal } from "../../../src/contract/context.ts";
import { type ClientOf, createClient } from "../../../src/contract/contract.ts";
import type { ModuleDeps } from "../../../src/modules/module.ts";
import { users } from "../../../src/modules/users/contract.ts";
import { createUsers, type UsersSettings } from "../../../src/modules/users/index.ts";
import { openStore, type SqliteStore } from "../../../src/store/engines/sqlite/open-store.ts";

/** Users as a caller meets it, over a real database file. */
export interface UsersSystem {
  readonly client: ClientOf<typeof users>;
  readonly store: SqliteStore;
  /** What failed without a name. */
  readonly unexpected: unknown[];
  seed(): Promise<string | undefined>;
  stop(): Promise<void>;
}

export const GOOD_PASSWORD = "grüne Äpfel im Mai";

/** bcrypt's least cost: what is tested here does not depend on it. */
export const SETTINGS: UsersSettings = {
  bcryptCost: 4,
  tokenTtlSeconds: 3_600,
  refreshTtlSeconds: 30 * 86_400,
  freeFailures: 10,
  jwtIssuer: "quartet",
  jwtAudience: "quartet",
};

type Clock = Pick<ModuleDeps<UsersSettings>, "now">;

/** Opens users.db in this folder and serves it, prepared. */
export async function startUsers(
  folder: string,
  settings: Partial<UsersSettings> & Partial<Clock> = {},
  isServing = false,
): Promise<UsersSystem> {
  const migrations = new URL("../../../src/modules/users/migrations/", import.meta.url);
  const store = openStore({ name: "users", file: join(folder, "users.db"), migrations });
  const logger = pino({ level: "silent" });
  const { now = Date.now, monotonicMs = settings.now ?? (() => performance.now()) } = settings;
  const module = createUsers({
    store,
    logger,
    now,
    settings: { ...SETTINGS, ...settings, monotonicMs },
  });
  const unexpected: unknown[] = [];
  const service = createService(users, module.handlers, { onUnexpected: (_, error) => unexpected.push(error) });
  const stop = async () => {
    await module.stop?.();
    await store.close();
  };
  try {
    await module.start?.();
    await module.inspect?.(isServing);
  } catch (error) {
    await stop();
    throw error;
  }
  return { client: createClient(users, service), store, unexpected, seed: async () => module.seed?.(), stop };
}

/** Users that a suite starts again and again on one database, which each test has anew. */
export interface RestartedUsers {
  readonly folder: string;
  /** Stops what runs, and starts with other settings. @param isServing whether as in a process that has callers */
  start(settings?: Partial<UsersSettings>, isServing?: boolean): Promise<UsersSystem>;
}

/** To be called in a suite: what its tests start is stopped after each, and its folder removed. */
export function restartUsers(): RestartedUsers {
  let folder: ReturnType<typeof makeFolder>;
  let system: UsersSystem | undefined;
  const stop = async () => {
    await system?.stop();
    system = undefined;
  };
  beforeEach(() => {
    folder = makeFolder();
  });
  afterEach(async () => {
    await stop();
    folder.remove();
  });
  return {
    get folder() {
      return folder.path;
    },
    async start(settings = {}, isServing = false) {
      await stop();
      system = await startUsers(folder.path, settings, isServing);
      return system;
    },
  };
}

/** The addresses of all accounts. */
export async function emailsOf({ client }: UsersSystem): Promise<string[]> {
  const anAdmin = as({ id: "0190a000-0000-7000-8000-000000000000", role: "admin" });
  return (await client.listUsers({}, anAdmin)).data.map(({ email }) => email);
}

export function makeFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "quartet-users-"));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

/** The context of a call by this principal, or by nobody. */
export function as(principal: Principal | null): CallContext {
  return {
    principal,
    token: null,
    /** Counted from the call, not from when this file was loaded: other files' tests may run in between. */
    get deadline() {
      return performance.now() + 20_000;
    },
    requestId: "test",
    trace: INVALID_SPAN_CONTEXT,
  };
}

/** The problem that the work fails with; anything else fails the test. */
export async function problemOf(work: unknown): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (isProblem(error)) return error;
    throw error;
  }
  throw new Error("expected a problem");
}

/** All that a caller sees of a problem. */
export function seen(problem: Problem): string {
  const { cause: _, ...options } = problem.options;
  return JSON.stringify([problem.code, problem.status, problem.message, options]);
}
