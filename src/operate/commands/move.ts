import { Refusal } from "../../base/refusal.ts";
import type { Arguments } from "../../runtime/config.ts";
import { type ModuleName, moduleNames } from "../../runtime/modules.ts";
import { askForMove, type Destination } from "../../runtime/move/ask-for-move.ts";

/**
 * Moves a module to another process, or back, while all of them serve.
 * @param wanted the words that say where to: `--here`, `--out`; else there is a flag TO
 * @returns a line for a person to read
 * @throws Refusal when it is not said what and where to; Problem why it could not be
 */
export function moveModule({ config, flags, words }: Arguments, wanted: readonly string[]): Promise<string> {
  const [word = ""] = words;
  const name = moduleNames.find((each) => each === word);
  if (name === undefined) throw new Refusal(`move MODULE: name ${moduleNames.join(", or ")} first`);
  return askForMove(config.DATA_DIR, name, destinationOf(name, flags.get("TO"), wanted), config.REDIS_URL);
}

function destinationOf(name: ModuleName, url: string | undefined, wanted: readonly string[]): Destination {
  const [first, ...more] = [...wanted, ...(url === undefined ? [] : ["--to"])];
  if (first === undefined || more.length > 0) {
    throw new Refusal(`move ${name}: say where to, by one of --to URL, --here and --out`);
  }
  if (first !== "--to") return first === "--here" ? "here" : "out";
  if (url === undefined || !URL.canParse(url)) throw new Refusal(`--to ${url}: expected the URL of a process`);
  return { url: new URL(url).origin };
}
