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
  "/two",
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

  for (const withUse of [false, true]) {
    it(`calls what a plain router calls, with what it gives it${withUse ? ", where something runs before" : ""}`, async () => {
      const called = async (router: Router) => {
        const calls = mountNoting(router, withUse);
        for (const path of [...ASKED, ...ODD, "/orders/a%20b"])
          for (const method of ["GET", "POST", "HEAD"]) await dispatch(router, path, method, calls);
        return calls;
      };
      const calls = await called(new IndexedRouter(options));
      expect(calls).to.deep.equal(await called(new Router(options)));
      expect(calls).to.deep.include(["/orders/:id", { id: "a b" }, "/orders/:id"]);
      expect(calls).to.deep.include(["nobody", "GET", "/order"]);
    });
  }
});

type Handler = ReturnType<Router["routes"]>;

function mountNoting(router: Router, withUse: boolean): unknown[] {
  const calls: unknown[] = [];
  const note = (call: string): Handler => {
    return (koa, next) => {
      calls.push([call, { ...koa.params }, koa._matchedRoute]);
      return next();
    };
  };
  if (withUse) router.use("/users", note("before"));
  for (const path of ROUTES) router.get(path, note(path));
  router.post("/orders", note("new order"));
  router.get("/two", note("one of two"), note("the other"));
  return calls;
}

async function dispatch(router: Router, path: string, method: string, calls: unknown[]): Promise<void> {
  const koa = { path, method, request: {} } as unknown as Parameters<Handler>[0];
  await router.routes()(koa, async () => void calls.push(["nobody", method, path]));
}

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
