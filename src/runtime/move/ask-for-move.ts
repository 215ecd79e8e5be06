import { z } from "zod";
import { isProblem, Problem } from "../../base/problem.ts";
import { socketsIn } from "../../control/sockets.ts";
import type { ModuleName } from "../modules.ts";
import { ask, findSeats, MOVE, type OtherSeat, PROVIDE } from "./others.ts";
import { HOME, newer } from "./placement.ts";

/** A move has ended by then, whatever came of it. */
const MOVED_WITHIN_MS = 30_000;
const PROVIDED_WITHIN_MS = 60_000;

/** Where a module is wanted: in the process that has it in SERVE, in the standby at a URL, or in one that is started for it. */
export type Destination = "here" | "out" | { readonly url: string };

/** What a supervisor has started for a module that is to leave its home. */
export const provided = z.object({ url: z.string(), redis_url: z.string() });

/**
 * Moves a module between the processes of this folder.
 * @param redisUrl by which events are to go, where they have stayed in the memory of one process
 * @returns where it is now, in words
 * @throws Problem why it could not be
 */
export async function askForMove(
  dataDir: string,
  name: ModuleName,
  to: Destination,
  redisUrl: string | undefined,
): Promise<string> {
  const seats = await findSeats(dataDir, name);
  const giver = seats.find(({ state }) => state === "serving");
  if (seats.length === 0) throw new Problem("dependency-unavailable", `Nobody serves ${name} from ${dataDir}.`);
  if (giver === undefined) throw new Problem("dependency-unavailable", whyNobody(name, seats));
  if (to === "here" && giver.place === HOME) return `${name} is home already.`;
  if (to === "out" && giver.place !== HOME) return `${name} is out already, at ${giver.url}.`;
  const started = to === "out" ? await askToProvide(dataDir, name) : undefined;
  const url = started?.url ?? (to as { readonly url: string }).url;
  const seat = to === "here" ? { place: HOME, url: null } : { place: new URL(url).host, url };
  const redis_url = started?.redis_url ?? redisUrl;
  await ask(giver.socket, MOVE, { module: name, to: seat, redis_url }, MOVED_WITHIN_MS);
  return `${name} is ${to === "here" ? "home" : `at ${url}`}.`;
}

/** Why nobody says that he serves it. */
function whyNobody(name: ModuleName, seats: readonly OtherSeat[]): string {
  const { owner } = seats.map(({ placement }) => placement).reduce(newer);
  if (seats.some(({ place }) => place === owner)) return `${name} is on its way just now.`;
  return `${name} is ${owner === HOME ? "home" : `at ${owner}`}, by a process that does not answer, or is gone.`;
}

/** Asks who started the processes of this folder for one more. @throws Problem when nobody can */
async function askToProvide(dataDir: string, name: ModuleName): Promise<z.output<typeof provided>> {
  for (const socket of await socketsIn(dataDir)) {
    try {
      return provided.parse(await ask(socket, PROVIDE, { module: name }, PROVIDED_WITHIN_MS));
    } catch (error) {
      if (!isProblem(error) || error.code === "upstream-timeout") throw error;
    }
  }
  const detail = `Nobody can start a process for ${name}: \`npm run dev\` can. Start one with SERVE=${name} and STANDBY=on, and move it there with --to URL.`;
  throw new Problem("dependency-unavailable", detail);
}
