import Router from "@koa/router";
import { expect } from "chai";
import { IndexedRouter } from "../../src/http/indexed-router.ts";

const ROUTES = ["/", "/orders", "/orders/:id", "/orders/:id/cancel", "/users/me", "/users/:id", "/:any/history"];
const ASKED = ["/", "/orders", "/orders/", "/orders/7", "/orders/7/cancel", "/orders/history", "/order", "/ordersX"];
const ODD = [
  "",
  "//",
  "/users",
  "/users/me",
  "/Users/me",
  "/%75sers/me",
  "/console",
  "/console/stream",
  "/x/history",
  "*",
];

describe("IndexedRouter", () => {
  const options = { sensitive: true, strict: true };
  const plain = mountAll(new Router(options));
  const indexed = mountAll(new IndexedRouter(options));

  for (const method of ["GET", "POST", "HEAD", "OPTIONS"]) {
    it(`finds for ${method} the routes that a plain router finds, in its order`, () => {
      const found = (router: Router) => [...ASKED, ...ODD].map((path) => namesOf(router.match(path, method)));
      expect(found(indexed)).to.deep.equal(found(plain));
      expect(found(plain).flat().length).to.be.greaterThan(0);
    });
  }
});

function mountAll(router: Router): Router {
  router.use("/console", (_koa, next) => next());
  for (const path of ROUTES) router.get(path, path, () => {});
  router.post("new order", "/orders", () => {});
  router.use((_koa, next) => next());
  router.get(["/late", "/orders/late"], () => {});
  router.get(/^\/(?:orders|users)\/$/, () => {});
  return router;
}

function namesOf({ path, pathAndMethod, route }: ReturnType<Router["match"]>) {
  const names = (layers: typeof path) => layers.map(({ name, path }) => `${name} ${path}`);
  return [names(path), names(pathAndMethod), route];
}
