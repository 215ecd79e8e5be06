import { join } from "node:path";
import { defineConfig } from "vite";
import { compressedCopies } from "./build/compressed-copies.ts";
import { inlineStyles } from "./build/inline-styles.ts";
import { modules } from "./src/model/modules.ts";

/** Where `npm run dev` serves the API while the page is worked on with `npx vite console`. */
const API = "http://127.0.0.1:8000";

const ofModules = modules.flatMap(({ operations }) => operations.map(({ path }) => path.split(/[/?]/)[1]));
const apiPaths = [...new Set(ofModules), "events", "status", "readyz", "livez", "healthz", "openapi.json"];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [inlineStyles(), compressedCopies()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "esnext",
    // The page's policy allows no data: address, so no file may be written into another.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "docs.html"].map((page) => join(import.meta.dirname, page)),
      checks: { pluginTimings: false },
    },
    // Swagger UI is one file of that size; it is the reference's alone.
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    proxy: Object.fromEntries([...apiPaths, "console/"].map((path) => [`/${path}`, API])),
  },
});
