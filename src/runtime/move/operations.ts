import { z } from "zod";
import { Problem } from "../../base/problem.ts";
import { type ControlOperations, taking } from "../../control/operation.ts";
import { type ModuleName, moduleNames } from "../modules.ts";
import type { Followed } from "./followed.ts";
import { isMoving } from "./hand-over.ts";
import type { Mover } from "./mover.ts";
import { HEARD, MOVE, OFFERED, placement, REDIS, SEATS, type SeatStatus, SURROUNDINGS, TOLD } from "./others.ts";
import { HOME } from "./placement.ts";
import type { Surround } from "./surround.ts";

const module = z.enum(moduleNames);
const ofGeneration = z.strictObject({ module, generation: z.int() });

/** What `move` is asked for: to give a module to a place. */
export const moveInput = z.strictObject({
  module,
  to: z.strictObject({ place: z.string(), url: z.string().nullable() }),
  redis_url: z.string().optional(),
});

export interface MoveOperationsOptions {
  readonly movers: ReadonlyMap<ModuleName, Mover>;
  readonly followed: Followed;
  readonly surround: Surround;
  readonly redisPrefix: string;
}

/** What can be asked of a process about modules that move, by its control socket. */
export function moveOperations({ movers, followed, surround, redisPrefix }: MoveOperationsOptions): ControlOperations {
  function moverOf(name: ModuleName): Mover {
    const mover = movers.get(name);
    if (mover === undefined) throw new Problem("dependency-unavailable", `${name} cannot move from here, or to here`);
    return mover;
  }

  /** One at a time: each has the time of the gate for itself. */
  function requireRest(): void {
    for (const { name, state } of movers.values()) {
      if (!isMoving(state)) continue;
      throw new Problem("dependency-unavailable", `${name} is moving just now: one module moves at a time`);
    }
  }

  return {
    [SEATS]: taking(z.strictObject({}), () =>
      Object.fromEntries(
        Array.from(movers, ([name, { seat, state }]): [string, SeatStatus] => [
          name,
          { place: seat.place, url: seat.url, state: state.is, placement: state.placement },
        ]),
      ),
    ),
    [MOVE]: taking(moveInput, async ({ module, to, redis_url: url }) => {
      const mover = moverOf(module);
      requireRest();
      if (url !== undefined && surround.redis === undefined) await surround.goByRedis({ url, prefix: redisPrefix });
      if (mover.seat.place === HOME) await surround.surroundingsOf(module); // what keeps it from leaving is known before it begins
      requireRest(); // another may have begun meanwhile
      await mover.give(to);
    }),
    [OFFERED]: taking(ofGeneration, ({ module, generation }) => moverOf(module).ask("offered", generation)),
    [TOLD]: taking(ofGeneration, ({ module, generation }) => moverOf(module).ask("told", generation)),
    [HEARD]: taking(z.strictObject({ module, placement }), ({ module, placement }) => {
      movers.get(module)?.send({ is: "heard", placement });
      return followed.heard(module, placement);
    }),
    [REDIS]: taking(z.strictObject({}), () => surround.redis ?? null),
    [SURROUNDINGS]: taking(z.strictObject({ module }), ({ module }) => surround.surroundingsOf(module)),
  };
}
