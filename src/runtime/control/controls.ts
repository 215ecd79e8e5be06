import { slowDown } from "../../call/faults.ts";
import type { Control } from "../../control/controls.ts";
import type { System } from "../compose.ts";
import type { ModuleName } from "../modules.ts";
import type { ModuleHost } from "../serving/module-host.ts";
import type { Place } from "../serving/place.ts";
import type { ServedModule } from "../serving/served-module.ts";

/** How much longer each call of users takes where that is asked for. */
const SLOWER_MS = 1_500;

/** What of a process can be harmed. */
export interface Harmed {
  readonly system: Pick<System, "config" | "places">;
  readonly hosts: readonly ModuleHost[];
  /** Whether a module is on its way from here or to here. */
  readonly isMoving: (name: ModuleName) => boolean;
}

/** What can be done on purpose to the modules that are here now; nothing elsewhere. One that has left took with it what was done to it. */
export function controlsOf({ system: { config, places }, hosts, isMoving }: Harmed): Control[] {
  return hosts.flatMap((host): Control[] => {
    const { name } = host;
    const place = places.of(name);
    const isHere = (module: ServedModule) => place.here === module;
    if (place.here === undefined) return [];
    // One that has a process to itself is killed by whoever starts that again.
    if (name === "products" && config.SERVE.length > 1) return [killProducts(host, place, isMoving)];
    if (name === "users") return [slowUsers(place.here, isHere)];
    return name === "orders" ? [fillOrders(place.here, isHere)] : [];
  });
}

/** Its process goes on, for the other modules there: it alone ends, and is opened again as after a crash. */
function killProducts(host: ModuleHost, place: Place, isMoving: Harmed["isMoving"]): Control {
  return {
    name: "kill-products",
    unavailable: () => (isMoving(host.name) ? "Products is on its way to another process, or back." : undefined),
    async act() {
      place.goDown();
      await host.crash();
      return async () => {
        place.goHere(await host.begin());
        await host.join();
      };
    },
  };
}

function slowUsers(users: ServedModule, isHere: (module: ServedModule) => boolean): Control {
  return {
    name: "slow-users",
    unavailable: () => undefined,
    act: () => slowDown(users.faults, users.service.contract, SLOWER_MS),
    isOver: () => !isHere(users),
  };
}

function fillOrders(orders: ServedModule, isHere: (module: ServedModule) => boolean): Control {
  const { fillUp } = orders.store;
  return {
    name: "fill-orders",
    unavailable: () =>
      fillUp === undefined ? "Orders has its data in PostgreSQL, whose disk cannot be filled from here." : undefined,
    act: () => fillUp?.() ?? (() => {}),
    isOver: () => !isHere(orders),
  };
}
