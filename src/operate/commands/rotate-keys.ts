import { existsSync } from "node:fs";
import { rotateKeys } from "../../modules/users/index.ts";
import { type Config, ConfigError, ownDatabase } from "../../runtime/config.ts";
import { databaseIn, migrationsOf } from "../../runtime/database-files.ts";
import { openSchema } from "../../runtime/open-store.ts";
import { openStore } from "../../store/engines/sqlite/open-store.ts";
import type { Store } from "../../store/store.ts";

/**
 * Begins the rotation of the signing key in the database of users; whoever serves users notices by itself.
 * @returns what happens when, for the operator to read
 * @throws ConfigError when the keys are not in that database; StoreRefusal when it cannot be used
 */
export async function rotateKeysOf(config: Config): Promise<string> {
  if (config.JWT_KEY_FILE !== undefined) {
    throw new ConfigError(
      `JWT_KEY_FILE=${config.JWT_KEY_FILE}: expected to be left out; a key of one's own is not made here`,
    );
  }
  const store = await openUsers(config);
  try {
    const times = { leadSeconds: config.KEY_LEAD, tokenTtlSeconds: config.TOKEN_TTL };
    const { kid, signsFrom, oldEndsAt } = await rotateKeys(store, times);
    return [
      `The new key ${kid} is published now.`,
      `It signs from ${signsFrom.toISOString()}.`,
      `The one before is dropped at ${oldEndsAt.toISOString()}, when the last token that it signed has expired.`,
    ].join("\n");
  } finally {
    await store.close();
  }
}

/** Beside the process that serves them. */
async function openUsers(config: Config): Promise<Store> {
  const inPostgres = ownDatabase(config, "users");
  const migrates = false; // its process may be of older code
  if (inPostgres !== undefined) return openSchema("users", config, inPostgres, { migrates, onOpened() {}, warn() {} });
  const file = databaseIn(config.DATA_DIR, "users");
  if (!existsSync(file)) throw new ConfigError(`DATA_DIR=${config.DATA_DIR}: expected the folder of users.db`);
  return openStore({ name: "users", file, migrations: migrationsOf("users"), migrates });
}
