import type { Stats } from "node:fs";
import { readFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import type Router from "@koa/router";
import { send } from "@koa/send";
import type { Context } from "koa";
import { Problem } from "../base/problem.ts";
import { answerAsPage, pagePolicy } from "../http/security-headers.ts";

const YEAR_SECONDS = 365 * 24 * 60 * 60;

/** The name of an asset holds a hash of what is in it: it never changes. */
const FOREVER = `public, max-age=${YEAR_SECONDS}, immutable`;
const ASK_AGAIN = "no-cache";

/** Swagger UI's style sheet has its icons in `data:` URLs; no other page of ours needs that. */
const ALLOW_DATA_IMAGES = "img-src 'self' data:";

/**
 * Mounts what `npm run build:console` has built: the console at `/` and the reference of the API at `/docs`, which are asked
 * for again each time, and `/assets/…`, which a browser keeps. Beside each file lie `.br` and `.gz` for clients that take
 * them. None of it loads anything from elsewhere.
 * @param folder where the build put it
 */
export function mountBuiltPages(router: Router, folder: string): void {
  router.get("/", (koa) => sendPage(koa, folder, "index.html"));
  router.get("/docs", (koa) => sendPage(koa, folder, "docs.html", ALLOW_DATA_IMAGES));
  router.get("/favicon.svg", (koa) => sendFile(koa, folder, "favicon.svg", ASK_AGAIN));
  router.get("/assets/:name", (koa) => sendFile(koa, folder, `assets/${koa.params.name}`, FOREVER));
}

async function sendPage(koa: Context, folder: string, name: string, ...policies: readonly string[]): Promise<void> {
  const html = await readFile(`${folder}/${name}`, "utf8").catch(() => undefined);
  if (html === undefined) throw new Problem("not-found", "This page is not built: npm run build:console.");
  answerAsPage(koa, pagePolicy(html, ...policies));
  await sendFile(koa, folder, name, ASK_AGAIN);
}

/** @throws Problem not-found also for the name of a compressed copy: that is no file of its own */
async function sendFile(koa: Context, root: string, path: string, cacheControl: string): Promise<void> {
  const isCopy = /\.(br|gz)$/.test(path);
  const sent = isCopy ? undefined : await send(koa, path, { root, setHeaders: tagFile }).catch(() => undefined);
  if (sent === undefined) throw new Problem("not-found", "There is no such file.");
  koa.set("Cache-Control", cacheControl);
  koa.vary("Accept-Encoding");
  if (koa.fresh) koa.status = 304;
}

/** Each copy has a tag of its own: a strong one names one sequence of bytes (RFC 9110, 8.8.3.3). */
function tagFile(response: ServerResponse, path: string, { size, mtimeMs }: Stats): void {
  const [encoding = ""] = /(br|gz)$/.exec(path) ?? [];
  response.setHeader("ETag", `"${size.toString(36)}-${Math.round(mtimeMs).toString(36)}${encoding}"`);
}
