import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { Refusal } from "../../base/refusal.ts";
import type { Arguments, Config } from "../../runtime/config.ts";
import { databaseIn, migrationsOf, modulesAmong, postgresMigrationsOf } from "../../runtime/database-files.ts";
import { inPostgresOf, type ModuleName } from "../../runtime/modules.ts";
import { placeInPostgres } from "../../runtime/open-store.ts";
import { requireFinishedRestore } from "../../runtime/unfinished-restore.ts";
import { beginMove, finishMove, type MoveOptions, moveRows, type Standing } from "../../store/move/move.ts";
import type { Source, Target } from "../../store/move/tables.ts";
import { urlsOfHosts } from "../../store/postgres-url.ts";
import { BOOKKEEPERS, type Bookkeeper, describeReconciliation, reconcileBooks } from "./books.ts";
import type { Reconciliation } from "./reconciliation.ts";

/** A module on its way. */
interface Move extends MoveOptions {
  readonly name: ModuleName;
  readonly standing: Standing;
}

/** Where data are, by `--from` or `--to`. */
type Place = { readonly folder: string } | { readonly url: string };

/**
 * Moves the data of the modules that SERVE names from a folder to PostgreSQL, or back, while their processes are stopped. Each target
 * is marked before any row is in it, and until all that are moved have all: none of them is served before. If it is cut short,
 * it goes on where it was when it is run again. For its subscribers a module's target is what a restored database is: its log goes on in a
 * new epoch.
 * @param tell given a line for each step
 * @returns what was done, for the operator to read
 * @throws Refusal when a source is in use, a target has rows of its own, or what was moved is not the same; the source is left as it is
 */
export async function moveStores({ config, flags }: Arguments, tell: (line: string) => void): Promise<string> {
  const [from, to] = [placeOf("FROM", flags), placeOf("TO", flags)];
  if ("url" in from === "url" in to) throw new Refusal("move-store: expected a folder and a URL of PostgreSQL");
  const names = modulesAmong(config.SERVE);
  if (names.length === 0) throw new Refusal("No module is served here; see --serve.");
  if ("folder" in from) requireFinishedRestore(from.folder);
  await using opened = new AsyncDisposableStack();
  const moves: Move[] = [];
  const sources = new Map<ModuleName, Source>();
  for (const name of names) {
    const source = await openSource(name, from, config);
    opened.defer(() => source.close());
    sources.set(name, source);
  }
  for (const [name, source] of sources) {
    const target = await openTarget(name, to, config, tell);
    opened.defer(() => target.close());
    const move = { name, source, target, madeAnew: (await inPostgresOf(name)).columns };
    moves.push({ ...move, standing: await beginMove(move) });
  }
  for (const move of moves) await moveRows(move, move.standing, tell);
  const reconciled = await reconcileMoved(moves);
  for (const move of moves) await finishMove(move, move.standing);
  return [
    `Moved ${names.join(", ")} from ${describe(from)} to ${describe(to)}: every row is the same.`,
    reconciled,
    "What was moved is still there as it was: do not start it again beside the new one.",
  ].join("\n");
}

function placeOf(flag: "FROM" | "TO", flags: Arguments["flags"]): Place {
  const given = flags.get(flag);
  if (given === undefined) throw new Refusal("move-store --from X --to X: name a folder and a URL of PostgreSQL");
  if (!/^postgres(ql)?:/.test(given)) return { folder: given };
  if (urlsOfHosts(given) !== undefined) return { url: given };
  throw new Refusal(`move-store --${flag.toLowerCase()}: expected a URL such as postgres://shop@127.0.0.1:5432/shop`);
}

function describe(place: Place): string {
  if ("folder" in place) return resolve(place.folder);
  const urls = (urlsOfHosts(place.url) ?? []).map((url) => new URL(url));
  return `postgres://${urls.map(({ host }) => host).join()}${urls[0]?.pathname}`;
}

async function openSource(name: ModuleName, place: Place, config: Config): Promise<Source> {
  if ("folder" in place) {
    const file = databaseIn(place.folder, name);
    if (!existsSync(file)) throw new Refusal(`${name}: ${file} is not there; see --from and --serve.`);
    const { openFileSource } = await import("../../store/engines/sqlite/move/source.ts");
    return openFileSource({ name, file }, migrationsOf(name));
  }
  const { openSchemaSource } = await import("../../store/engines/postgres/move/source.ts");
  return openSchemaSource({ name, ...placeInPostgres(config, place.url) }, postgresMigrationsOf(name));
}

async function openTarget(
  name: ModuleName,
  place: Place,
  config: Config,
  tell: (line: string) => void,
): Promise<Target> {
  if ("folder" in place) {
    requireFinishedRestore(place.folder);
    const { openFileTarget } = await import("../../store/engines/sqlite/move/target.ts");
    return openFileTarget({ name, file: databaseIn(place.folder, name) }, migrationsOf(name));
  }
  const [{ openSchemaTarget }, { findModuleRole }] = await Promise.all([
    import("../../store/engines/postgres/move/target.ts"),
    import("../../store/engines/postgres/module-role.ts"),
  ]);
  const there = { name, ...placeInPostgres(config, place.url) };
  const { role, told } = there.pooled ? { role: undefined, told: undefined } : await findModuleRole(there);
  if (told !== undefined) tell(`${name}: ${told}`);
  const { fills } = await inPostgresOf(name);
  const as = role === undefined ? {} : { role };
  return openSchemaTarget({ ...there, ...as }, { migrations: postgresMigrationsOf(name), fills });
}

/** Compares what the modules know of each other, where all that keep books are moved. */
async function reconcileMoved(moves: readonly Move[]): Promise<string> {
  const booksOf = (where: "source" | "target") => {
    const found = moves.map((move) => [move.name, move[where]] as const);
    return Object.fromEntries(found) as Record<Bookkeeper, Source | Target>;
  };
  if (!BOOKKEEPERS.every((name) => moves.some((move) => move.name === name))) {
    return `They were not reconciled, which takes ${BOOKKEEPERS.join(", ")}.`;
  }
  const [before, after] = [await reconcileBooks(booksOf("source")), await reconcileBooks(booksOf("target"))];
  const countsOf = ({ findings, ...counts }: Reconciliation) => ({ ...counts, findings: findings.length });
  if (isDeepStrictEqual(countsOf(before), countsOf(after))) return describeReconciliation(after);
  throw new Refusal(`What was moved does not reconcile as before:\n${describeReconciliation(after)}`);
}
