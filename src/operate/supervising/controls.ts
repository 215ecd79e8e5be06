import type { Control } from "../../control/controls.ts";
import { type Config, ownDatabase } from "../../runtime/config.ts";
import { askForMove } from "../../runtime/move/ask-for-move.ts";
import { HOME } from "../../runtime/move/placement.ts";
import { readPlacement } from "../../runtime/move/placement-file.ts";
import type { OwnRedis } from "../commands/own-redis.ts";
import type { Supervised } from "../commands/supervised.ts";

/** @param products the processes that serve them @param isOver whether they do no more, and another does */
export function killProducts(products: readonly Supervised[], isOver = () => false): Control {
  return {
    name: "kill-products",
    unavailable: () => undefined,
    act() {
      const undo = products.map((each) => each.holdDown());
      return () => {
        for (const each of undo) each();
      };
    },
    isOver,
  };
}

/** @param redis that was started here, if one was @param why there is none */
export function hangRedis(redis: OwnRedis | undefined, why: string): Control {
  const inDocker = "The Redis that was started here runs in Docker, out of reach.";
  return {
    name: "hang-redis",
    unavailable: () => (redis === undefined ? why : redis.hang === undefined ? inDocker : undefined),
    act: async () => (await redis?.hang?.()) ?? (() => {}),
  };
}

export const REDIS_ELSEWHERE = "REDIS_URL names the Redis, which was not started here.";

/** Of a supervisor that can start a process for them. */
export function moveOrders(config: Config): Control {
  const { DATA_DIR } = config;
  const isHome = () => readPlacement(DATA_DIR, "orders").owner === HOME;
  const whyNot = () => {
    if (ownDatabase(config, "orders") !== undefined)
      return "Orders has its data in PostgreSQL, where nothing has to be handed over.";
    return isHome() ? undefined : "Orders is out already: npm run move -- orders --here brings it back.";
  };
  return {
    name: "move-orders",
    unavailable: whyNot,
    async act() {
      await askForMove(DATA_DIR, "orders", "out", undefined);
      return () => askForMove(DATA_DIR, "orders", "here", undefined);
    },
    isOver: isHome,
  };
}

/** Of a supervisor whose orders are apart for good. */
export const ordersApart: Control = {
  name: "move-orders",
  unavailable: () => "Orders has a process of its own here, for good.",
  act: () => () => {},
};
