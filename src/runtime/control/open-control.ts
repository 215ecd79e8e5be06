import { z } from "zod";
import { createControls } from "../../control/controls.ts";
import { type ControlOperations, taking } from "../../control/operation.ts";
import { openControlSocket } from "../../control/server.ts";
import { type ProcessTopology, TOPOLOGY } from "../../control/topology.ts";
import { reasonOf } from "../../store/refusal.ts";
import type { System } from "../compose.ts";
import type { ServiceName } from "../modules.ts";
import type { Moves } from "../move/begin-moves.ts";
import type { ModuleHost } from "../serving/module-host.ts";
import { controlsOf } from "./controls.ts";

/** What of a process is asked and changed by its socket. */
interface ControlledProcess {
  readonly system: System;
  readonly hosts: readonly ModuleHost[];
  readonly moves: Moves;
  /** Where its services listen. */
  readonly urls: () => ReadonlyMap<ServiceName, string>;
}

/**
 * Lets the owner of the data control this process, and in development harm it on purpose. Where there is no place for a socket, as in a
 * container that has its data elsewhere, it serves all the same.
 * @param lifetime to which the end of it is given
 */
export async function openControl(
  { system, hosts, moves, urls }: ControlledProcess,
  lifetime: AsyncDisposableStack,
): Promise<void> {
  const { config, logger } = system;
  const find = () => controlsOf({ system, hosts, isMoving: moves.isMoving });
  const controls = config.NODE_ENV === "development" ? createControls(find, (line) => logger.warn(line)) : undefined;
  const operations: ControlOperations = {
    ...moves.operations,
    [TOPOLOGY]: taking(z.strictObject({}), () => topologyOf(system, urls())),
    ...controls?.operations,
  };
  lifetime.defer(() => controls?.undoAll());
  try {
    const socket = await openControlSocket(config.DATA_DIR, operations, (error) =>
      logger.error({ err: error }, "an operation asked for by the control socket failed"),
    );
    lifetime.defer(socket.close);
  } catch (error) {
    logger.debug(`no control socket in ${config.DATA_DIR}: ${reasonOf(error)}`);
  }
}

async function topologyOf(
  { config: { SERVE }, bus, places }: System,
  urls: ReadonlyMap<ServiceName, string>,
): Promise<ProcessTopology> {
  const here = SERVE.filter((name) => name === "gateway" || places.of(name).here !== undefined);
  const elsewhere = Array.from(places.remotes, async ([name, client]) => [name, [...(await client.addresses())]]);
  return {
    pid: process.pid,
    services: Object.fromEntries(here.map((name) => [name, urls.get(name) ?? null])),
    elsewhere: Object.fromEntries(await Promise.all(elsewhere)),
    bus: bus.status().kind,
  };
}
