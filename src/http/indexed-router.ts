import { createRequire } from "node:module";
import type Router from "@koa/router";

/** As CommonJS, which takes Node's HTTP as `base/node-http.ts` does. */
const KoaRouter: typeof Router = createRequire(import.meta.url)("@koa/router");

type Layer = Router["stack"][number];

/** A path that begins with a literal segment, and that segment. */
const LITERAL = /^\/([\w.-]*)(?=\/|$)/;

/**
 * A router that tries a path on the routes whose first segment is the path's own: others could not match, and to try each of some
 * forty expressions takes a twentieth of a read. All routes are mounted before the first request.
 */
export class IndexedRouter extends KoaRouter {
  #bySegment: ReadonlyMap<string, Router> | undefined;
  #others: Router = new KoaRouter();

  override match(path: string, method: string): ReturnType<Router["match"]> {
    this.#bySegment ??= this.#index();
    const [, segment = ""] = path.split("/", 2);
    return (this.#bySegment.get(segment) ?? this.#others).match(path, method);
  }

  /** Each part keeps the order of the whole, with the routes that take any first segment in their places. */
  #index(): ReadonlyMap<string, Router> {
    const segments = new Set(this.stack.flatMap((layer) => firstSegment(layer) ?? []));
    const part = (segment: string | undefined) => {
      const router = new KoaRouter();
      router.stack = this.stack.filter((layer) => [undefined, segment].includes(firstSegment(layer)));
      return router;
    };
    this.#others = part(undefined);
    return new Map([...segments].map((segment) => [segment, part(segment)]));
  }
}

/** @returns undefined where it may be any */
function firstSegment({ path }: Layer): string | undefined {
  return typeof path === "string" ? LITERAL.exec(path)?.[1] : undefined;
}
