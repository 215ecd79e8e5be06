import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import { type Api, addProduct, allOrders, createApi, register, type Session, signIn } from "../support/api.ts";
import { extent } from "../support/extent.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../support/topology.ts";

const CALLS = 3;

for (const topology of extent("callers that have gone, in one process", [fourProcesses, oneProcess], [fourProcesses])) {
  describe(`a gateway that stood still: ${topology.name}`, () => {
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;

    before(async () => {
      shop = await topology.start();
      api = createApi(shop.url);
      admin = await signIn(api);
    });
    after(async () => {
      await api?.close();
      await shop?.stop();
    });

    it("does nothing for who has gone before it read what he asked for", async () => {
      const product_id = await addProduct(api, admin, 100);
      const buyer = await register(api, "buyer");
      const { pid } = shop.process("gateway");
      for (let n = 0; n < CALLS; n++) {
        const socket = await connected();
        process.kill(pid, "SIGSTOP");
        try {
          socket.end(orderRequest({ product_id, quantity: 1 }, buyer, `of one who has gone ${n}`));
          await once(socket, "finish"); // his kernel keeps for the gateway what it has not read
        } finally {
          process.kill(pid, "SIGCONT");
        }
        await once(socket.resume(), "close");
      }
      const placed = await api.post("/orders", { product_id, quantity: 1 }, buyer.token);
      expect(placed.status).to.equal(201);
      await shop.settled();
      expect(await allOrders(api, admin)).to.have.lengthOf(1);
    });

    async function connected() {
      const { hostname, port } = new URL(shop.url);
      const socket = connect(Number(port), hostname);
      await once(socket, "connect");
      return socket;
    }
  });
}

function orderRequest(order: object, { token }: Session, key: string): string {
  const body = JSON.stringify(order);
  const head = [
    "POST /orders HTTP/1.1",
    "Host: shop",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    `Idempotency-Key: ${key}`,
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
