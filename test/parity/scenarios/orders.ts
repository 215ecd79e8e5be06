import { addProduct, type OrderBody, register, type Session } from "../../support/api.ts";
import type { Scenario, Stage } from "../scenario.ts";

const ABSENT = "018f0000-0000-7000-8000-000000000000";
const WAIT = { prefer: "wait=20" };

const idOf = (answer: { readonly body: unknown }) => (answer.body as OrderBody).id;

export const ordering: readonly Scenario[] = [
  {
    name: "orders: both forms, both paths, until they are confirmed",
    async run(stage) {
      const admin = await stage.admin();
      const hana = await register(stage.quiet, "hana");
      const [pen, ink] = [
        await addProduct(stage.quiet, admin, 9, "Pen"),
        await addProduct(stage.quiet, admin, 9, "Ink"),
      ];
      const bodies = [
        { product_id: pen, quantity: 1 },
        {
          items: [
            { product_id: pen, quantity: 1 },
            { product_id: ink, quantity: 2 },
          ],
        },
        {
          items: [
            { product_id: ink, quantity: 1 },
            { product_id: pen, quantity: 1 },
            { product_id: ink, quantity: 1 },
          ],
        },
        { user_id: hana.id, product_id: ink, quantity: 1 },
      ];
      for (const [index, body] of bodies.entries()) {
        const placed = await stage.post(index % 2 === 0 ? "/orders" : "/orders/create", body, hana.token);
        await stage.get(`/orders/${idOf(placed)}`, hana.token, WAIT);
      }
      await stage.get(`/products/${pen}`);
      await stage.get(`/products/${ink}`);
    },
  },
  {
    name: "orders: refused at once",
    async run(stage) {
      const admin = await stage.admin();
      const [ivan, judy] = [await register(stage.quiet, "ivan"), await register(stage.quiet, "judy")];
      const cup = await addProduct(stage.quiet, admin, 2, "Cup");
      const franc = { name: "Franc", price_cents: 1, currency: "CHF", stock: 5 };
      const swiss = idOf(await stage.quiet.post("/products", franc, admin.token));
      const island = { name: "Island", price_cents: 1_000_000_000_000, currency: "IDR", stock: 10_000 };
      const dear = idOf(await stage.quiet.post("/products", island, admin.token));
      const lines = Array.from({ length: 10 }, () => ({ product_id: dear, quantity: 1_000 }));
      await stage.post("/orders", { items: lines }, ivan.token);
      await stage.post("/orders", { product_id: cup, quantity: 3 }, ivan.token);
      await stage.post("/orders", { items: [1, 2].map((quantity) => ({ product_id: cup, quantity })) }, ivan.token);
      await stage.post("/orders", { product_id: ABSENT, quantity: 1 }, ivan.token);
      await stage.post(
        "/orders",
        { items: [cup, swiss].map((product_id) => ({ product_id, quantity: 1 })) },
        ivan.token,
      );
      await stage.post("/orders", { user_id: judy.id, product_id: cup, quantity: 1 }, ivan.token);
      await stage.post("/orders", { user_id: ABSENT, product_id: cup, quantity: 1 }, admin.token);
      await stage.post("/orders", { user_id: ABSENT, product_id: ABSENT, quantity: 1 }, admin.token);
      await stage.post("/orders", { product_id: cup, quantity: 1 });
      await stage.get(`/products/${cup}`);
    },
  },
  {
    name: "orders: who may see, list and cancel",
    async run(stage) {
      const admin = await stage.admin();
      const [kim, leo] = [await register(stage.quiet, "kim"), await register(stage.quiet, "leo")];
      const hat = await addProduct(stage.quiet, admin, 50, "Hat");
      const ids: string[] = [];
      for (const quantity of [1, 2, 3, 4, 5]) {
        ids.push(idOf(await stage.post("/orders", { product_id: hat, quantity }, kim.token)));
        await stage.settled();
      }
      await stage.post("/orders", { user_id: leo.id, product_id: hat, quantity: 1 }, admin.token);
      await stage.settled();
      await stage.get(`/orders/${ids[0]}`, leo.token);
      await stage.get(`/orders/${ABSENT}`, leo.token);
      await stage.get(`/orders/${ids[0]}`, admin.token);
      await stage.get(`/orders/${ids[0]}`);
      await stage.post(`/orders/${ids[0]}/cancel`, undefined, leo.token);
      await stage.post(`/orders/${ids[0]}/cancel`, undefined, kim.token);
      await stage.settled();
      await stage.post(`/orders/${ids[0]}/cancel`, undefined, kim.token);
      await stage.post(`/orders/${ids[1]}/cancel`, undefined, admin.token);
      await stage.post(`/orders/${ABSENT}/cancel`, undefined, kim.token);
      await stage.settled();
      await stage.get(`/products/${hat}`);
      await listAll(stage, kim, leo, admin);
    },
  },
  {
    name: "orders: retries with a key",
    async run(stage) {
      const admin = await stage.admin();
      const [mia, noa] = [await register(stage.quiet, "mia"), await register(stage.quiet, "noa")];
      const bag = await addProduct(stage.quiet, admin, 9, "Bag");
      const key = { "idempotency-key": "my first order" };
      const first = await stage.post("/orders", { product_id: bag, quantity: 1 }, mia.token, key);
      await stage.get(`/orders/${idOf(first)}`, mia.token, WAIT);
      await stage.post("/orders", { product_id: bag, quantity: 1 }, mia.token, key);
      await stage.post("/orders/create", { product_id: bag, quantity: 1 }, mia.token, key);
      await stage.post("/orders", { product_id: bag, quantity: 2 }, mia.token, key);
      await stage.post("/orders", { product_id: bag, quantity: 1 }, noa.token, key);
      await stage.settled();
      const failed = { "idempotency-key": "fails at first" };
      await stage.post("/orders", { product_id: bag, quantity: 99 }, mia.token, failed);
      await stage.quiet.post(`/products/${bag}/restock`, { quantity: 100 }, admin.token);
      await stage.post("/orders", { product_id: bag, quantity: 99 }, mia.token, failed);
      await stage.settled();
      await stage.get(`/products/${bag}`);
    },
  },
  {
    name: "orders: placed and cancelled in one breath",
    async run(stage) {
      const admin = await stage.admin();
      const oda = await register(stage.quiet, "oda");
      const cap = await addProduct(stage.quiet, admin, 3, "Cap");
      for (let round = 0; round < 3; round++) {
        const id = idOf(await stage.post("/orders", { product_id: cap, quantity: 3 }, oda.token));
        await stage.post(`/orders/${id}/cancel`, undefined, oda.token);
        await stage.settled();
        await stage.get(`/orders/${id}`, oda.token);
        await stage.get(`/products/${cap}`);
      }
    },
  },
];

async function listAll(stage: Stage, kim: Session, leo: Session, admin: Session): Promise<void> {
  let next: string | null = "";
  while (next !== null) {
    const query: string = next === "" ? "" : `&cursor=${next}`;
    next = ((await stage.get(`/orders?limit=2${query}`, kim.token)).body as { next_cursor: string | null }).next_cursor;
  }
  for (const status of ["pending", "confirmed", "rejected", "cancelled"]) {
    await stage.get(`/orders?status=${status}&limit=1`, kim.token);
    await stage.get(`/orders?status=${status}`, admin.token);
  }
  await stage.get("/orders", leo.token);
  await stage.get(`/orders?user_id=${leo.id}`, leo.token);
  await stage.get(`/orders?user_id=${kim.id}`, leo.token);
  await stage.get(`/orders?user_id=${kim.id}&status=cancelled`, admin.token);
  await stage.get("/orders?limit=3", admin.token);
  await stage.get("/orders");
}
