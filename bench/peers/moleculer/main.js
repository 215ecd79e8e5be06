import { parseArgs } from "node:util";
import moleculer from "moleculer";
import { createGateway } from "./gateway.js";
import { createOrders } from "./orders.js";
import { createProducts } from "./products.js";
import { createUsers } from "./users.js";

/**
 * The shop in Moleculer, as its documentation advises: actions with parameters that are checked, calls between services, events,
 * moleculer-web. All services in one process, or those that `--serve` names, with a Redis as their transporter. Its tables are the
 * shop's, and it takes an order to its end; but its events are fire-and-forget, so that it keeps no log, no reply and no cursor.
 */
const { values: flags } = parseArgs({
  options: {
    serve: { type: "string", default: "gateway,users,products,orders" },
    port: { type: "string", default: "0" },
    "data-dir": { type: "string", default: "." },
    "redis-url": { type: "string" },
  },
});

const folder = flags["data-dir"];
const services = {
  gateway: () => createGateway(Number(flags.port)),
  users: () => createUsers(folder),
  products: () => createProducts(folder),
  orders: () => createOrders(folder),
};

const served = flags.serve.split(",");
const broker = new moleculer.ServiceBroker({
  nodeID: served.join("-"),
  transporter: flags["redis-url"] ?? null,
  logLevel: "warn",
});
for (const name of served) broker.createService(services[name]());
await broker.start();
