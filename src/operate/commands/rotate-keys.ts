import { existsSync } from "node:fs";
import { rotateKeys } from "../../modules/users/index.ts";
import { type Config, ConfigError } from "../../runtime/config.ts";
import { databaseIn, migrationsOf } from "../../runtime/database-files.ts";
import { openStore } from "../../store/engines/sqlite/open-store.ts";

/**
 * Begins the rotation of the signing key in the users.db of DATA_DIR; whoever serves users notices by itself.
 * @returns what happens when, for the operator to read
 * @throws ConfigError when the keys are not in that database; StoreRefusal when it cannot be used
 */
export async function rotateKeysOf(config: Config): Promise<string> {
  const file = databaseIn(config.DATA_DIR, "users");
  if (config.JWT_KEY_FILE !== undefined) {
    throw new ConfigError(
      `JWT_KEY_FILE=${config.JWT_KEY_FILE}: expected to be left out; a key of one's own is not made here`,
    );
  }
  if (!existsSync(file)) throw new ConfigError(`DATA_DIR=${config.DATA_DIR}: expected the folder of users.db`);
  const store = openStore({ name: "users", file, migrations: migrationsOf("users") });
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
