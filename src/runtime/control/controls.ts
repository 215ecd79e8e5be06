import { slowDown } from "../../call/faults.ts";
import type { Control } from "../../control/controls.ts";
import type { ServedModule, System } from "../compose.ts";

/** How much longer each call of users takes where that is asked for. */
const SLOWER_MS = 1_500;

/** What can be done on purpose to the modules of this process, in development; nothing elsewhere. */
export function controlsOf({ config, served }: System): Control[] {
  if (config.NODE_ENV !== "development") return [];
  return served.flatMap((module) => {
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
