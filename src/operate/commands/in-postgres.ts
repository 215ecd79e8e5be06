import { Refusal } from "../../base/refusal.ts";
import { type Config, ownDatabase } from "../../runtime/config.ts";
import type { ModuleName } from "../../runtime/modules.ts";

/**
 * Sees to it that these modules have files, which a command is for.
 * @param instead what does it in PostgreSQL
 * @throws Refusal when one has not
 */
export function requireFiles(config: Config, names: readonly ModuleName[], instead: string): void {
  const there = names.filter((name) => ownDatabase(config, name) !== undefined);
  if (there.length > 0) throw new Refusal(`The data of ${there.join(", ")} are in PostgreSQL: ${instead}`);
}
