import { type ModuleName, moduleNames, type ServiceName } from "./modules.ts";

/** Where a module's database is in a folder, be it that of the data or a backup. */
export function databaseIn(folder: string, name: ModuleName): string {
  return `${folder}/${name}.db`;
}

/** The folder of a module's migrations. */
export function migrationsOf(name: ModuleName): URL {
  return new URL(`../modules/${name}/migrations/`, import.meta.url);
}

/** The folder of those for PostgreSQL: the first makes all that SQLite's make up to its number, each later one has its counterpart. */
export function postgresMigrationsOf(name: ModuleName): URL {
  return new URL("postgres/", migrationsOf(name));
}

/** The modules among these services: the gateway keeps nothing. */
export function modulesAmong(serve: readonly ServiceName[]): ModuleName[] {
  return moduleNames.filter((name) => serve.includes(name));
}
