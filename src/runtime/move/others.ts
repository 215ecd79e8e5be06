import { z } from "zod";
import { isProblem, Problem } from "../../base/problem.ts";
import { askProcess } from "../../control/client.ts";
import { socketsIn } from "../../control/sockets.ts";
import type { ModuleName } from "../modules.ts";
import type { PlaceName } from "./placement.ts";

/** The names of what processes ask each other by their control sockets, for a move. */
export const SEATS = "seats";
export const MOVE = "move";
export const OFFERED = "offered";
export const TOLD = "told";
export const HEARD = "heard";
export const SURROUNDINGS = "surroundings";
export const PROVIDE = "provide";
export const REDIS = "redis";

const LOOK_MS = 1_000;

/** Where a module is, as it is told. */
export const placement = z.strictObject({ generation: z.int(), owner: z.string(), url: z.string().nullable() });

/** What a process says of a module that it has, or could have. */
export const seatStatus = z.object({
  place: z.string(),
  /** Where others reach it, when it is there. */
  url: z.string().nullable(),
  state: z.enum(["away", "taking", "serving", "giving", "ended"]),
  placement,
});

export const seats = z.record(z.string(), seatStatus);

export type SeatStatus = z.output<typeof seatStatus>;

/** By which Redis the events of a process go; null while they stay in its memory. */
export const redisOfEvents = z.object({ url: z.string(), prefix: z.string() }).nullable();

/** What a module that has left its home needs of it. */
export const surroundings = z.object({
  /** Where its neighbours are reached, and it itself when it is home. */
  urls: z.record(z.string(), z.string()),
  redis: redisOfEvents.unwrap(),
});

export type Surroundings = z.output<typeof surroundings>;

/** A process that has a seat for a module, by its socket. */
export interface OtherSeat extends SeatStatus {
  readonly socket: string;
}

/** All processes of this folder that have a seat for a module; those that do not answer are left out. */
export async function findSeats(dataDir: string, name: ModuleName): Promise<OtherSeat[]> {
  const found = await Promise.all(
    (await socketsIn(dataDir)).map(async (socket): Promise<OtherSeat[]> => {
      const told = await ask(socket, SEATS, {}, LOOK_MS).catch(() => undefined);
      const status = seats.safeParse(told).data?.[name];
      return status === undefined ? [] : [{ ...status, socket }];
    }),
  );
  return found.flat();
}

/** @throws Problem when nobody is there, or several */
export async function findSeat(dataDir: string, name: ModuleName, place: PlaceName): Promise<OtherSeat> {
  const found = (await findSeats(dataDir, name)).filter((seat) => seat.place === place);
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  const who = place === "home" ? `no process that has ${name} in SERVE` : `no standby for ${name} at ${place}`;
  throw new Problem("dependency-unavailable", found.length === 0 ? `${who} is there` : `several are at ${place}`);
}

/** @throws Problem as the other has it, or since it does not answer */
export function ask(socket: string, operation: string, input: unknown, withinMs: number): Promise<unknown> {
  return askProcess(socket, { operation, input, withinMs });
}

/** Tells all processes of this folder; whoever does not hear it may ask later. */
export async function tellAll(dataDir: string, operation: string, input: unknown): Promise<void> {
  const sockets = await socketsIn(dataDir);
  await Promise.all(
    sockets.map((socket) =>
      ask(socket, operation, input, LOOK_MS).catch((error: unknown) => {
        if (!isProblem(error)) throw error;
      }),
    ),
  );
}
