import { addProduct, type OrderBody, register } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";

/** More than the failures in a row after which a neighbour is left alone: an answer is none of them. */
const MANY = 7;

export const usersUnavailable: readonly Scenario[] = [
  {
    name: "users cannot tell who somebody is",
    async run(stage) {
      const admin = await stage.admin();
      const sam = await register(stage.quiet, "sam");
      const cup = await addProduct(stage.quiet, admin, 9, "Cup");
      const order = { product_id: cup, quantity: 1 };
      for (let n = 0; n < MANY; n++) await stage.post("/orders", order, sam.token);
      await stage.post("/orders", order, sam.token, { "idempotency-key": "a failure is not kept" });
      await stage.post("/orders", order, sam.token, { "idempotency-key": "a failure is not kept" });
      await stage.get(`/users/${sam.id}`, sam.token);
      await stage.get(`/users/${sam.id}`, admin.token);
      await stage.get("/users/me", sam.token);
      await stage.post("/users/login", { email: "sam@example.org", password: "the password of sam" });
      await stage.get("/orders", sam.token);
      await stage.get(`/products/${cup}`);
    },
  },
];

export const productsSlow: readonly Scenario[] = [
  {
    name: "products answers too late",
    async run(stage) {
      const admin = await stage.admin();
      const tess = await register(stage.quiet, "tess");
      await stage.quiet.get("/orders", tess.token); // an answer that has come before is how the callee's clock is known
      const cup = await addProduct(stage.quiet, admin, 9, "Cup");
      const order = { method: "POST", path: "/orders", body: { product_id: cup, quantity: 1 }, token: tess.token };
      // From here on the time of orders is known: however late an answer of it comes, nothing was begun.
      await stage.quiet.call({ method: "GET", path: "/orders", token: tess.token });
      const look = { method: "GET", path: `/products/${cup}` };
      const requests = [...Array(MANY).fill(order), ...Array(MANY).fill(look)];
      const answers = await Promise.all(requests.map((request) => stage.quiet.call(request)));
      for (const [index, answer] of answers.entries()) stage.record(requests[index], answer);
      await stage.get("/products?limit=1");
      await stage.get("/users/me", tess.token);
      await stage.get("/orders", tess.token);
      await stage.call(look);
    },
  },
];

export const poison: readonly Scenario[] = [
  {
    name: "products cannot apply that an order was created",
    async run(stage) {
      const admin = await stage.admin();
      const uma = await register(stage.quiet, "uma");
      const cup = await addProduct(stage.quiet, admin, 9, "Cup");
      const ids: string[] = [];
      for (const quantity of [1, 2]) {
        const placed = await stage.post("/orders", { product_id: cup, quantity }, uma.token);
        ids.push((placed.body as OrderBody).id);
      }
      await stage.settled();
      await stage.get(`/orders/${ids[0]}`, uma.token, { prefer: "wait=1" });
      await stage.post(`/orders/${ids[1]}/cancel`, undefined, uma.token);
      await stage.settled();
      await stage.get("/orders", uma.token);
      await stage.get(`/products/${cup}`);
      await stage.get("/events/dead-letters", uma.token);
      await stage.get("/events/dead-letters?limit=1", admin.token);
      const { body } = await stage.get("/events/dead-letters", admin.token);
      const [newest, oldest] = (body as { data: { id: string }[] }).data;
      await stage.post(`/events/dead-letters/${oldest?.id}/replay`, undefined, admin.token);
      await stage.post(`/events/dead-letters/${newest?.id}/discard`, undefined, uma.token);
      await stage.post(`/events/dead-letters/${newest?.id}/discard`, undefined, admin.token);
      await stage.post(`/events/dead-letters/${newest?.id}/discard`, undefined, admin.token);
      await stage.post(`/events/dead-letters/${ids[0]}/replay`, undefined, admin.token);
      await stage.get("/events/dead-letters", admin.token);
    },
  },
];

export const redisAway: readonly Scenario[] = [
  {
    name: "orders while Redis is away",
    async run(stage) {
      const admin = await stage.admin();
      const vera = await register(stage.quiet, "vera");
      const cup = await addProduct(stage.quiet, admin, 9, "Cup");
      await stage.shop.loseRedis();
      const ids: string[] = [];
      for (const quantity of [1, 2, 3]) {
        const key = { "idempotency-key": `order ${quantity}` };
        const placed = await stage.post("/orders", { product_id: cup, quantity }, vera.token, key);
        ids.push((placed.body as OrderBody).id);
      }
      await stage.post(`/orders/${ids[2]}/cancel`, undefined, vera.token);
      await stage.get("/users/me", vera.token);
      await stage.shop.returnRedis();
      await stage.settled();
      for (const id of ids) await stage.get(`/orders/${id}`, vera.token, { prefer: "wait=20" });
      await stage.get(`/products/${cup}`);
    },
  },
];
