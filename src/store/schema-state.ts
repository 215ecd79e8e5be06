import type { Migration, Schema } from "./migration-files.ts";
import { StoreRefusal } from "./refusal.ts";

/** A schema has two parts, each with its files: the store's own tables, and the module's. */
export const PARTS = ["store", "module"] as const;

/** Which file was applied last, 0 where none was. */
export type Versions = Readonly<Record<keyof Schema, number>>;

/** What a database says of its schema. */
export interface SchemaState {
  readonly versions: Versions;
  /** The oldest code that may use it, by the versions which that knows. */
  readonly oldestCode: Versions;
}

/** The versions that this code knows. */
export function newestOf({ store, module }: Schema): Versions {
  return { store: store.at(-1)?.version ?? 0, module: module.at(-1)?.version ?? 0 };
}

/** Such as `1.3`. */
export function describeVersions({ store, module }: Versions): string {
  return `${store}.${module}`;
}

/** Whether code that knows these versions may use a schema. */
export function mayUse(known: Versions, { oldestCode }: SchemaState): boolean {
  return PARTS.every((part) => oldestCode[part] <= known[part]);
}

/** @throws StoreRefusal when newer code has changed it so that this code cannot use it */
export function requireUsable(state: SchemaState, schema: Schema): void {
  const known = newestOf(schema);
  if (mayUse(known, state)) return;
  const [found, oldest] = [describeVersions(state.versions), describeVersions(state.oldestCode)];
  throw new StoreRefusal(
    `has schema ${found}, newer than the ${describeVersions(known)} that this version knows, and takes ${oldest} at least: start a newer version`,
  );
}

/** @throws StoreRefusal when this code cannot use it, or not before it is migrated */
export function requireMigrated(state: SchemaState, schema: Schema): void {
  requireUsable(state, schema);
  if (!isMissing(state, schema)) return;
  const [found, known] = [describeVersions(state.versions), describeVersions(newestOf(schema))];
  throw new StoreRefusal(`has schema ${found}, this needs ${known}: \`npm run migrate\` brings it there`);
}

/** @throws StoreRefusal unless it is just as this code makes it */
export function requireNewest(state: SchemaState, schema: Schema): void {
  requireMigrated(state, schema);
  const [found, known] = [state.versions, newestOf(schema)].map(describeVersions);
  if (found !== known) throw new StoreRefusal(`has schema ${found}, newer than the ${known} that this version moves`);
}

/** Whether files are to be applied to it. */
export function isMissing(state: SchemaState, schema: Schema): boolean {
  return PARTS.some((part) => missingOf(part, state, schema).length > 0);
}

/** The files of a part that are to be applied to it. */
export function missingOf(part: keyof Schema, { versions }: SchemaState, schema: Schema): readonly Migration[] {
  return schema[part].filter(({ version }) => version > versions[part]);
}

/** What it says when these files of a part are applied, too. */
export function withApplied(state: SchemaState, part: keyof Schema, files: readonly Migration[]): SchemaState {
  const { versions, oldestCode } = state;
  const newest = files.at(-1)?.version ?? versions[part];
  const oldest = Math.max(oldestCode[part], ...files.map((file) => file.oldestCode));
  return { versions: { ...versions, [part]: newest }, oldestCode: { ...oldestCode, [part]: oldest } };
}

/** What opening a database came to; versions are such as `1.3`. */
export interface Opening {
  /** Where it is, without a password. */
  readonly place: string;
  /** Undefined where there was none. */
  readonly from: string | undefined;
  readonly to: string;
  /** The newest that this code knows. It differs where newer code was here, and lets older code go on. */
  readonly known: string;
}

/** In words, for the log of a process that serves. */
export function describeOpening({ place, from, to, known }: Opening): string {
  if (from === undefined) return `made ${place}, version ${to}`;
  const migrated = from === to ? "" : `, migrated from ${from}`;
  return `opened ${place}, version ${to}${migrated}${to === known ? "" : `, while this code knows ${known}`}`;
}
