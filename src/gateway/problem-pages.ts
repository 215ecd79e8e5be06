import type Router from "@koa/router";
import { Problem, titleOf } from "../base/problem.ts";
import type { ProblemType, ProblemTypes } from "../base/problem-types.ts";
import { answerAsPage, pagePolicy } from "../http/security-headers.ts";

/**
 * Mounts `/problems`, a page that lists all types, and `/problems/{name}`, where the `type` of a problem leads: a page to
 * read, or JSON if that is preferred.
 */
export function mountProblemPages(router: Router, types: ProblemTypes): void {
  router.get("/problems", (koa) => {
    const html = listPage([...types.values()]);
    answerAsPage(koa, pagePolicy(html));
    koa.type = "text/html; charset=utf-8";
    koa.body = html;
  });
  router.get("/problems/:name", (koa) => {
    const { name = "" } = koa.params;
    const type = types.get(name);
    if (type === undefined) throw new Problem("not-found", "There is no problem of this name.");
    const html = typePage(type);
    answerAsPage(koa, pagePolicy(html));
    koa.vary("Accept");
    if (koa.accepts("text/html", "application/json") === "application/json") {
      koa.type = "application/json; charset=utf-8";
      koa.body = JSON.stringify(describe(type));
    } else {
      koa.type = "text/html; charset=utf-8";
      koa.body = html;
    }
  });
}

function describe({ code, ...said }: ProblemType): object {
  return { type: `/problems/${code}`, title: titleOf(code), ...said };
}

/** All that stands in it is ours: nothing comes from the request, for the name is one that we know. */
function typePage({ code, status, meaning, remedy }: ProblemType): string {
  return page(
    `${titleOf(code)} (${status})`,
    `<h1>${titleOf(code)}</h1>
<dl>
<dt>Type</dt><dd><code>/problems/${code}</code></dd>
<dt>Status</dt><dd>${status}</dd>
<dt>What happened</dt><dd>${meaning}</dd>
<dt>What to do</dt><dd>${remedy}</dd>
</dl>`,
  );
}

function listPage(types: readonly ProblemType[]): string {
  const rows = types
    .toSorted((one, other) => one.status - other.status || one.code.localeCompare(other.code))
    .map(
      ({ code, status, meaning }) =>
        `<tr><td>${status}</td><td><a href="/problems/${code}">${code}</a></td><td>${meaning}</td></tr>`,
    );
  return page(
    "Problem types",
    `<h1>Problem types</h1>
<p>Every failure of the API is one of these, as <code>application/problem+json</code> (RFC 9457).</p>
<table>
<thead><tr><th>Status</th><th>Name</th><th>What happened</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`,
  );
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${title} · Quartet</title>
<link rel="icon" type="image/svg+xml" href="/favicon.svg">
<style>${STYLE}</style>
<header><nav aria-label="Quartet"><a href="/"><img src="/favicon.svg" width="24" height="24" alt="">Quartet</a> <a href="/docs">API reference</a> <a href="/problems">Problem types</a></nav></header>
<main>
${content}
</main>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --page: light-dark(#f6f6f3, #0f1115); --surface: light-dark(#fff, #171a20); --line: light-dark(#e2e2dc, #2b303a); --text: light-dark(#1a1c21, #eceef2); --text-2: light-dark(#555a64, #a9b0bd); --accent: light-dark(#3151d3, #93a8ff) }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif }
a { color: var(--accent); text-underline-offset: 3px }
header { background: var(--surface); border-bottom: 1px solid var(--line) }
nav, main { max-width: 60rem; margin: 0 auto; padding: 0 clamp(14px, 3vw, 40px) }
nav { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 22px; min-height: 60px; padding-block: 12px; font-size: 15px }
nav a { text-decoration: none }
nav a:first-child { display: inline-flex; align-items: center; gap: 10px; color: inherit; font-weight: 700 }
main { padding-block: 32px 72px }
h1 { margin: 0 0 12px; font-size: clamp(24px, 3vw, 32px); line-height: 1.2; letter-spacing: -0.02em }
dl, p { max-width: 42rem }
dt { margin-top: 18px; color: var(--text-2); font-weight: 600; font-size: 14px }
dd { margin: 2px 0 0 }
code { font-family: ui-monospace, Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.92em }
table { width: 100%; margin-top: 20px; border-collapse: collapse }
th, td { padding: 8px 16px 8px 0; border-bottom: 1px solid var(--line); text-align: start; vertical-align: top }
th { color: var(--text-2); font-size: 14px }
td:first-child { font-variant-numeric: tabular-nums; color: var(--text-2) }
td:nth-child(2) { white-space: nowrap }
@media (max-width: 600px) {
  thead { display: none }
  tr { display: grid; grid-template-columns: 3rem 1fr; padding: 8px 0; border-bottom: 1px solid var(--line) }
  td { padding: 0; border: 0 }
  td:nth-child(2) { white-space: normal }
  td:nth-child(3) { grid-column: 2 }
}
`;
