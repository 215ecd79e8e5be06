import { setTimeout as sleep } from "node:timers/promises";
import { reachableUrl } from "../../base/origin.ts";
import type { ControlOperations } from "../../control/operation.ts";
import type { System } from "../compose.ts";
import type { ModuleName, ServiceName } from "../modules.ts";
import type { ModuleHost } from "../serving/module-host.ts";
import type { Followed } from "./followed.ts";
import { isMoving } from "./hand-over.ts";
import { createHands } from "./hands.ts";
import { Mover } from "./mover.ts";
import { moveOperations } from "./operations.ts";
import { HOME } from "./placement.ts";
import { readPlacement } from "./placement-file.ts";
import type { Seat } from "./protocol.ts";
import { type OpenDoor, Surround } from "./surround.ts";

/** How long the end of a standby waits for its modules to be home. */
const GO_HOME_MS = 2_500;

export interface MovesOptions {
  readonly system: System;
  readonly hosts: readonly ModuleHost[];
  /** Where the modules are that it does not serve. */
  readonly followed: Followed;
  readonly openDoor: OpenDoor;
  /** Where this process listens for its services. */
  readonly urls: ReadonlyMap<ServiceName, string>;
}

/** The modules of a process that move, for its other parts. */
export interface Moves {
  /** What can be asked of this process about them. */
  readonly operations: ControlOperations;
  /** Whether a module is on its way from here or to here. */
  isMoving(name: ModuleName): boolean;
  /** A standby ends for good: what it has goes home first, where that is there, for nobody to wait for one who is absent. */
  goHome(): Promise<void>;
}

/**
 * Lets those modules of this process move that are in files: from here, and to here.
 * @param lifetime to which the end of it is given
 */
export async function beginMoves(
  { system, hosts, followed, openDoor, urls }: MovesOptions,
  lifetime: AsyncDisposableStack,
): Promise<Moves> {
  const { config, logger } = system;
  const surround = new Surround(system, openDoor);
  const movers = new Map<ModuleName, Mover>();
  for (const host of hosts.filter(({ isInFile }) => isInFile)) {
    const { name } = host;
    const isHere = host.served !== undefined;
    const seat: Seat = config.STANDBY === true ? standbyAt(urls.get(name), config.HOST) : { place: HOME, url: null };
    const hands = createHands({ system, host, place: seat.place, surround, followed });
    const mover = new Mover({ name, seat, logger, hands }, readPlacement(config.DATA_DIR, name), isHere);
    host.onLockLost = () => mover.send({ is: "lock-lost" });
    movers.set(name, mover);
    if (!isHere && seat.place === HOME) await surround.openFor(name); // for where it is
  }
  lifetime.defer(followed.keepLooking(config.DATA_DIR));
  lifetime.defer(async () => void (await Promise.all(Array.from(movers.values(), (mover) => mover.stop()))));
  return {
    operations: moveOperations({ movers, followed, surround, redisPrefix: config.REDIS_PREFIX }),
    isMoving(name) {
      const mover = movers.get(name);
      return mover !== undefined && isMoving(mover.state);
    },
    async goHome() {
      const leaving = hosts.flatMap(({ name, served }) => {
        const mover = movers.get(name);
        const isTrusted = served !== undefined && served.store.fault() === undefined;
        return mover !== undefined && mover.seat.place !== HOME && isTrusted ? [mover] : [];
      });
      const left = Promise.all(
        leaving.map((mover) =>
          mover.give({ place: HOME, url: null }).catch((error: Error) => {
            logger.info(`${mover.name} does not go home: ${error.message}`);
          }),
        ),
      );
      await Promise.race([left, sleep(GO_HOME_MS, undefined, { ref: false })]);
    },
  };
}

/** A standby is known by its address, which it has again after a restart. */
function standbyAt(url: string | undefined, host: string): Seat {
  if (url === undefined) throw new Error("a standby has a door of its own");
  const reachable = reachableUrl(host, Number(new URL(url).port));
  return { place: new URL(reachable).host, url: reachable };
}
