import type Router from "@koa/router";

/** The pages for people, who end an address with a slash now and then; what programs ask for is taken to the letter. */
const PAGES = ["/docs", "/problems", "/problems/:name"];

const PERMANENT_REDIRECT = 308;

/** Mounts the same addresses with a slash at the end: each leads to the page. */
export function mountSlashRedirects(router: Router): void {
  router.get(
    PAGES.map((path) => `${path}/`),
    (koa) => {
      koa.status = PERMANENT_REDIRECT;
      koa.set("Location", koa.path.slice(0, -1) + koa.search);
      koa.body = "The page is at this address without the slash at its end.\n";
    },
  );
}
