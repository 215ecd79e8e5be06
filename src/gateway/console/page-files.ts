import type { Stats } from "node:fs";
import type { ServerResponse } from "node:http";
import type Router from "@koa/router";
import { send } from "@koa/send";
import type { Context } from "koa";
import { Problem } from "../../contract/problem.ts";

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** The name of an asset holds a hash of what is in it: it never changes. */
const FOREVER = `public, max-age=${YEAR_SECONDS}, immutable`;
const ASK_AGAIN = "no-cache";

/**
 * Mounts the built page: `/`, which is asked for again each time, and `/assets/…`, which a browser keeps.
 * @param folder where the build put it
 */
export function mountPage(router: Router, folder: string): void {
  router.get("/", (koa) => sendFile(koa, folder, "index.html", ASK_AGAIN));
  router.get("/favicon.svg", (koa) => sendFile(koa, folder, "favicon.svg", ASK_AGAIN));
  router.get("/assets/:name", (koa) => sendFile(koa, folder, `assets/${koa.params.name}`, FOREVER));
}

async function sendFile(koa: Context, root: string, path: string, cacheControl: string): Promise<void> {
  const sent = await send(koa, path, { root, setHeaders: tagFile }).catch(() => undefined);
  if (sent === undefined) {
    const detail =
      path === "index.html" ? "The console is not built: npm run build:console." : "There is no such file.";
    throw new Problem("not-found", detail);
  }
  koa.set("Cache-Control", cacheControl);
  koa.vary("Accept-Encoding");
  if (koa.fresh) koa.status = 304;
}

function tagFile(response: ServerResponse, _path: string, { size, mtimeMs }: Stats): void {
  response.setHeader("ETag", `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}"`);
}
