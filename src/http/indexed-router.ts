import { createRequire } from "node:module";
import type Router from "@koa/router";
import type { RouterContext } from "@koa/router";

/** As CommonJS, which takes Node's HTTP as `base/common-js.ts` does. */
const KoaRouter: typeof Router = createRequire(import.meta.url)("@koa/router");

type Layer = Router["stack"][number];
type Dispatch = ReturnType<Router["routes"]>;

/** A path that begins with a literal segment, and that segment. */
const LITERAL = /^\/([\w.-]*)(?=\/|$)/;

/**
 * A router that tries a path on the routes whose first segment is the path's own: others could not match, and to try each of some
 * forty expressions takes a twentieth of a read. Where one route alone takes a request, its handler is called without the chain that the
 * router would make for it. All routes are mounted before the first request.
 */
export class IndexedRouter extends KoaRouter {
  #bySegment: ReadonlyMap<string, Part> | undefined;
  #others = new Part([]);

  override match(path: string, method: string): ReturnType<Router["match"]> {
    return this.#partOf(path).router.match(path, method);
  }

  override routes(): Dispatch {
    const dispatch = super.routes();
    const direct: Dispatch = (koa, next) => {
      const { path, method } = koa;
      const route = this.#partOf(path).onlyRoute(path, method);
      const handler = route?.stack[0];
      if (route === undefined || handler === undefined) return dispatch(koa, next);
      koa.params = route.params(path, route.captures(path));
      koa._matchedRoute = route.path;
      return handler(koa as RouterContext, next);
    };
    return Object.assign(direct, { router: this });
  }

  #partOf(path: string): Part {
    this.#bySegment ??= this.#index();
    const end = path.indexOf("/", 1);
    return this.#bySegment.get(end < 0 ? path.slice(1) : path.slice(1, end)) ?? this.#others;
  }

  /** Each part keeps the order of the whole, with the routes that take any first segment in their places. */
  #index(): ReadonlyMap<string, Part> {
    const segments = new Set(this.stack.flatMap((layer) => firstSegment(layer) ?? []));
    const part = (segment: string | undefined) =>
      new Part(this.stack.filter((layer) => [undefined, segment].includes(firstSegment(layer))));
    this.#others = part(undefined);
    return new Map([...segments].map((segment) => [segment, part(segment)]));
  }
}

/** The routes that a path with a certain first segment may take. */
class Part {
  readonly router: Router = new KoaRouter();
  readonly #byMethod = new Map<string, readonly Layer[]>();

  constructor(stack: Layer[]) {
    this.router.stack = stack;
  }

  /** The only one that takes the request, if it has one handler; middleware that would run before it counts, too. */
  onlyRoute(path: string, method: string): Layer | undefined {
    let only: Layer | undefined;
    for (const layer of this.#layersFor(method)) {
      if (!layer.match(path)) continue;
      if (only !== undefined) return undefined;
      only = layer;
    }
    return only?.stack.length === 1 && only.methods.length > 0 ? only : undefined;
  }

  #layersFor(method: string): readonly Layer[] {
    let layers = this.#byMethod.get(method);
    if (layers === undefined) {
      layers = this.router.stack.filter(({ methods }) => methods.length === 0 || methods.includes(method));
      this.#byMethod.set(method, layers);
    }
    return layers;
  }
}

/** @returns undefined where it may be any */
function firstSegment({ path }: Layer): string | undefined {
  return typeof path === "string" ? LITERAL.exec(path)?.[1] : undefined;
}
