import { readdirSync } from "node:fs";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { MODULES, type ModuleName } from "../support/databases.ts";
import { ask } from "../support/postgres.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A migration for both engines. */
export interface NextMigration {
  /** Whether code of the version before may go on. */
  readonly expands: boolean;
  readonly sqlite: string;
  readonly postgres: string;
}

/** A copy of the code, to which the next version's migrations are added. */
export interface NextCode {
  readonly dir: string;
  /** Adds a migration with the next number. @returns that number */
  add(module: ModuleName, migration: NextMigration): Promise<number>;
  remove(): Promise<void>;
}

/** Copies what the program needs to run. */
export async function copyCode(): Promise<NextCode> {
  const dir = await mkdtemp(join(tmpdir(), "quartet-next-"));
  for (const name of ["src", "package.json"]) await cp(join(root, name), join(dir, name), { recursive: true });
  for (const name of ["node_modules", "dist"]) await symlink(join(root, name), join(dir, name));
  return {
    dir,
    async add(module, { expands, sqlite, postgres }) {
      const folder = join(dir, "src/modules", module, "migrations");
      const newest = Math.max(...readdirSync(folder).map((file) => Number.parseInt(file, 10) || 0));
      const header = expands ? `-- Oldest code: ${inFourDigits(newest)}\n` : "";
      const file = `${inFourDigits(newest + 1)}-next.sql`;
      await writeFile(join(folder, file), header + sqlite);
      await writeFile(join(folder, "postgres", file), header + postgres);
      return newest + 1;
    },
    remove: () => rm(dir, { recursive: true }),
  };
}

/** The next version adds a column to each table that there is in a PostgreSQL: whoever serves must pass it over. */
export async function addColumns(next: NextCode, database: string): Promise<void> {
  for (const module of MODULES) {
    const tables = await ask<{ name: string }>(
      database,
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = '${module}'::regnamespace`,
    );
    const postgres = tables.map(({ name }) => `ALTER TABLE ${name} ADD COLUMN added TEXT;`).join("\n");
    await next.add(module, { expands: true, sqlite: "SELECT 1", postgres });
  }
}

function inFourDigits(version: number): string {
  return String(version).padStart(4, "0");
}
