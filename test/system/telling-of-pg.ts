import { registerHooks } from "node:module";

/** Loaded before the product: prints a line when it loads the driver of PostgreSQL. */
registerHooks({
  load(url, context, nextLoad) {
    if (url.endsWith("/node_modules/pg/lib/index.js")) console.log("pg is loaded");
    return nextLoad(url, context);
  },
});
