import { Refusal } from "../../base/refusal.ts";
import type { Config } from "../../runtime/config.ts";
import { modulesAmong } from "../../runtime/database-files.ts";
import { openDatabase } from "../../runtime/open-store.ts";
import type { Opening } from "../../store/schema-state.ts";

/**
 * Brings the databases of the modules that SERVE names to the newest schema that this code knows, one after the other, and makes those that
 * are not there. A start does the same; this is for a rollout in which it is done before. Several at once wait for each other.
 * @param tell given a line for each, when it is there
 * @throws Refusal when one cannot be used or migrated, or a file is served: those before it stay migrated
 */
export async function migrateAll(config: Config, tell: (line: string) => void): Promise<void> {
  const names = modulesAmong(config.SERVE);
  if (names.length === 0) throw new Refusal("No module is served here; see --serve.");
  for (const name of names) {
    let told = "";
    const onOpened = (opening: Opening) => {
      told = describe(opening);
    };
    const store = await openDatabase(name, config, { migrates: true, onOpened, warn: tell });
    await store.close();
    tell(`${name}: ${told}`);
  }
}

function describe({ place, from, to, known }: Opening): string {
  if (from === undefined) return `made at ${to} in ${place}`;
  if (from !== to) return `migrated from ${from} to ${to} in ${place}`;
  return to === known ? `already at ${to} in ${place}` : `at ${to} in ${place}, which code that knows ${known} may use`;
}
