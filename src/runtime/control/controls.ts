import { slowDown } from "../../call/faults.ts";
import type { Control } from "../../control/controls.ts";
import type { System } from "../compose.ts";
import type { ServedModule } from "../serving/served-module.ts";

/** How much longer each call of users takes where that is asked for. */
const SLOWER_MS = 1_500;

/** What can be done on purpose to the modules that are here now, in development; nothing elsewhere. One that has left took with it what was done to it. */
export function controlsOf({ config, places }: System): Control[] {
  if (config.NODE_ENV !== "development") return [];
  return places.served.flatMap((module) => {
    if (module.name === "users") return slowUsers(module);
    return module.name === "orders" ? fillOrders(module) : [];
  });
}

function slowUsers({ service, faults }: ServedModule): Control {
  return {
    name: "slow-users",
    unavailable: () => undefined,
    act: () => slowDown(faults, service.contract, SLOWER_MS),
  };
}

function fillOrders({ store: { fillUp } }: ServedModule): Control {
  return {
    name: "fill-orders",
    unavailable: () =>
      fillUp === undefined ? "Orders has its data in PostgreSQL, whose disk cannot be filled from here." : undefined,
    act: () => fillUp?.() ?? (() => {}),
  };
}
