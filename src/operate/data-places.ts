import { resolve } from "node:path";
import { type Config, ownDatabase } from "../runtime/config.ts";
import { modulesAmong } from "../runtime/database-files.ts";
import type { ModuleName, ServiceName } from "../runtime/modules.ts";

/** Where the data of these services are, in words; undefined where they keep none. */
export function describeData(config: Config, services: readonly ServiceName[]): string | undefined {
  const places = new Set(modulesAmong(services).map((name) => placeOf(name, config)));
  return places.size === 0 ? undefined : `Its data are in ${[...places].join(" and ")}`;
}

/** A URL of one server or several without its passwords. */
export function withoutSecret(url: string): string {
  return url.replace(/^([\w+]+:\/\/[^:/?#]*):[^/?#]*@/, "$1:***@").replace(/([?&_]password=)[^&#]*/g, "$1***");
}

function placeOf(name: ModuleName, config: Config): string {
  const database = ownDatabase(config, name);
  return database === undefined ? resolve(config.DATA_DIR) : withoutSecret(database.url);
}
