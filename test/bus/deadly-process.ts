import { createMemoryBus } from "../../src/bus/memory/bus.ts";
import { openModule, remember, silent, until } from "./modules.ts";

/** A process that the event 7 kills at once, each time it tries to apply it; it ends well when all are dealt with. */
const folder = process.argv[2];
if (folder === undefined) throw new Error("which folder?");
const orders = openModule("orders", folder);
const products = openModule("products", folder);
const bus = createMemoryBus({ logger: silent });
bus.join(orders, []);
bus.join(products, [
  remember("orders", (number) => {
    if (number === 7) process.kill(process.pid, "SIGKILL");
    return undefined;
  }),
]);
await bus.start();
const head = await orders.log.head();
await until("all are dealt with", async () => {
  const [position] = await products.read((reading) => products.cursors.positions(reading, "orders"));
  return position?.seq === head?.seq;
});
await bus.stop(1_000);
await Promise.all([orders.close(), products.close()]);
