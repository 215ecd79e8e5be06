import { generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import jwt from "jsonwebtoken";
import {
  type Api,
  addProduct,
  bodyOf,
  createApi,
  type OrderBody,
  register,
  type Session,
  signIn,
} from "../support/api.ts";
import type { Settings, Shop, Topology } from "../support/topology.ts";

/** Where a service can be reached directly, and an operation of it that takes a body. */
export interface Door {
  readonly name: string;
  readonly url: string;
  readonly write: { readonly path: string; readonly token?: string };
}

/** A shop to be attacked, with somebody of each kind in it. */
export interface Target {
  readonly shop: Shop;
  readonly api: Api;
  readonly admin: Session;
  readonly alice: Session;
  readonly bob: Session;
  readonly product: string;
  /** Alice's. */
  readonly order: string;
  /** The gateway first, then each service that has a port of its own. */
  readonly doors: readonly Door[];
  /** A token signed with the shop's own key. @param claims beside or instead of those of a good one */
  sign(claims: object, options?: { readonly header?: object; readonly key?: string }): string;
  stop(): Promise<void>;
}

export async function startTarget(topology: Topology, settings: Settings): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), "quartet-target-"));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const keyFile = join(folder, "key.pem");
  await writeFile(keyFile, pem);
  const shop = await topology.start({ ...settings, JWT_KEY_FILE: keyFile });
  const api = createApi(shop.url);
  const [admin, alice, bob] = [await signIn(api), await register(api, "alice"), await register(api, "bob")];
  const product = await addProduct(api, admin, 1_000_000);
  const order = bodyOf<OrderBody>(await api.post("/orders", { product_id: product, quantity: 1 }, alice.token)).id;
  const kid = jwt.decode(alice.token, { complete: true })?.header.kid;
  return {
    shop,
    api,
    admin,
    alice,
    bob,
    product,
    order,
    doors: await doorsOf(api, shop.url, admin, alice),
    sign(claims, { header = {}, key = pem } = {}) {
      const nowSeconds = Math.floor(Date.now() / 1_000);
      const good = { iss: "quartet", aud: "quartet", sub: alice.id, role: "customer", jti: randomUUID() };
      const payload = { ...good, iat: nowSeconds, exp: nowSeconds + 600, ...claims };
      const known = Object.fromEntries(Object.entries(payload).filter(([, value]) => value !== undefined));
      return jwt.sign(known, key, { algorithm: "ES256", header: { alg: "ES256", typ: "JWT", kid, ...header } });
    },
    async stop() {
      await api.close();
      await shop.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The status tells the port of each module; one in the gateway's own process cannot be reached by it. */
async function doorsOf(api: Api, gateway: string, admin: Session, alice: Session): Promise<Door[]> {
  const writes: Readonly<Record<string, Door["write"]>> = {
    users: { path: "/users/login" },
    products: { path: "/products", token: admin.token },
    orders: { path: "/orders", token: alice.token },
  };
  const { modules } = bodyOf<{ modules: { name: string; port: number; placement: string }[] }>(
    await api.get("/status"),
  );
  const apart = modules.flatMap(({ name, port, placement }) => {
    const write = writes[name];
    return placement === "remote" && write !== undefined ? [{ name, url: `http://127.0.0.1:${port}`, write }] : [];
  });
  return [{ name: "gateway", url: gateway, write: { path: "/users/login" } }, ...apart];
}
