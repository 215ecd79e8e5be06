import type Router from "@koa/router";
import { knownProblems, Problem, titleOf } from "../contract/problem.ts";
import type { ProblemType } from "../contract/problem-types.ts";

/** Mounts `/problems/{name}`, where the `type` of a problem leads: a page to read, or JSON if that is preferred. */
export function mountProblemPages(router: Router): void {
  router.get("/problems/style.css", (koa) => {
    koa.type = "text/css";
    koa.body = STYLE;
  });
  router.get("/problems/:name", (koa) => {
    const { name = "" } = koa.params;
    const type = knownProblems().get(name);
    if (type === undefined) throw new Problem("not-found", "There is no problem of this name.");
    koa.vary("Accept");
    if (koa.accepts("text/html", "application/json") === "application/json") {
      koa.type = "application/json; charset=utf-8";
      koa.body = JSON.stringify({ type: `/problems/${name}`, title: titleOf(name), ...type });
    } else {
      koa.type = "text/html; charset=utf-8";
      koa.body = page(name, type);
    }
  });
}

/** All that stands in it is ours: nothing comes from the request, for the name is one that we know. */
function page(name: string, { status, meaning, remedy }: ProblemType): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${titleOf(name)} (${status})</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/problems/style.css">
<main>
<h1>${titleOf(name)}</h1>
<dl>
<dt>Type</dt><dd><code>/problems/${name}</code></dd>
<dt>Status</dt><dd>${status}</dd>
<dt>What happened</dt><dd>${meaning}</dd>
<dt>What to do</dt><dd>${remedy}</dd>
</dl>
<p><a href="/docs">The API</a></p>
</main>
</html>
`;
}

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
main { max-width: 42rem; margin: 3rem auto; padding: 0 1rem }
dt { font-weight: 600; margin-top: 1rem }
dd { margin: 0 }
`;
