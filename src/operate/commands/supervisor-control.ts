import { z } from "zod";
import { type Control, createControls } from "../../control/controls.ts";
import { taking } from "../../control/operation.ts";
import { openControlSocket } from "../../control/server.ts";
import { type ProcessTopology, TOPOLOGY } from "../../control/topology.ts";
import type { Config } from "../../runtime/config.ts";
import { reasonOf } from "../../store/refusal.ts";
import type { OwnRedis } from "./own-redis.ts";
import type { Supervised } from "./supervised.ts";

/** What `four` keeps running. */
export interface Supervises {
  readonly services: readonly Supervised[];
  /** Those of them that serve products. */
  readonly products: readonly Supervised[];
  /** The Redis that was started here. */
  readonly redis: OwnRedis | undefined;
}

/**
 * Lets the owner of the data ask the supervisor what it keeps running, and in development harm some of it. Without a place for a socket it
 * supervises all the same.
 * @param tell given one line for what is done or undone
 * @returns the way to end it, after which all harm is undone
 */
export async function openSupervisorControl(
  config: Config,
  supervised: Supervises,
  tell: (line: string) => void,
): Promise<{ close(): Promise<void> }> {
  const own = config.NODE_ENV === "development" ? controlsOf(supervised) : [];
  const controls = createControls(() => own, tell);
  const topology = async (): Promise<ProcessTopology> => ({
    pid: process.pid,
    services: {},
    elsewhere: {},
    bus: null,
    supervises: [...supervised.services.map(({ name }) => name), ...(supervised.redis === undefined ? [] : ["Redis"])],
  });
  const operations = { [TOPOLOGY]: taking(z.strictObject({}), topology), ...controls.operations };
  const onUnexpected = (error: unknown) => tell(`An operation of the control socket failed: ${reasonOf(error)}`);
  const socket = await openControlSocket(config.DATA_DIR, operations, onUnexpected).catch(() => undefined);
  return {
    async close() {
      await socket?.close();
      await controls.undoAll();
    },
  };
}

function controlsOf({ products, redis }: Supervises): Control[] {
  const killProducts: Control = {
    name: "kill-products",
    unavailable: () => undefined,
    act() {
      const undo = products.map((each) => each.holdDown());
      return () => {
        for (const each of undo) each();
      };
    },
  };
  const hang = redis?.hang;
  const hangRedis: Control = {
    name: "hang-redis",
    unavailable: () =>
      hang === undefined ? "The Redis that was started here runs in Docker, out of reach." : undefined,
    act: async () => (await hang?.()) ?? (() => {}),
  };
  return redis === undefined ? [killProducts] : [killProducts, hangRedis];
}
