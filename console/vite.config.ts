import { defineConfig } from "vite";

/** Where `npm run dev` serves the API while the page is worked on with `npx vite console`. */
const API = "http://127.0.0.1:8000";

const apiPaths = ["users", "products", "orders", "events", "status", "readyz", "livez", "healthz", "openapi.json"];

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    target: "esnext",
    // The page's policy allows no data: address, so no file may be written into another.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries([...apiPaths, "console/", ".well-known"].map((path) => [`/${path}`, API])),
  },
});
