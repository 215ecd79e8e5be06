import { fileURLToPath } from "node:url";
import type Router from "@koa/router";
import { send } from "@koa/send";

/** What the page takes from swagger-ui-dist. */
const ASSETS = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/** Swagger UI's style sheet has its icons in `data:` URLs; no other page of ours needs that. */
const ALLOW_DATA_IMAGES = "img-src 'self' data:";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Quartet: the API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<main id="docs"></main>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

/** Without a validator's URL it would ask a server elsewhere whether the document is valid. */
const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
`;

/** Mounts `/docs`, a page on the API to read and try out, which loads nothing from elsewhere. */
export function mountDocsPage(router: Router): void {
  router.get("/docs", (koa) => {
    koa.state.pagePolicy = ALLOW_DATA_IMAGES;
    koa.type = "text/html; charset=utf-8";
    koa.body = PAGE;
  });
  router.get("/docs/start.js", (koa) => {
    koa.type = "text/javascript; charset=utf-8";
    koa.body = START;
  });
  for (const name of ASSETS) {
    router.get(`/docs/${name}`, async (koa) => {
      await send(koa, name, { root: fileURLToPath(new URL(".", import.meta.resolve("swagger-ui-dist/package.json"))) });
    });
  }
}
