import type Router from "@koa/router";

/** What a process tells of itself to Prometheus. */
export interface MetricsPage {
  /** Never fails: what cannot be known now is left out. */
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Mounts `/metrics`. */
export function mountMetrics(router: Router, page: MetricsPage): void {
  router.get("/metrics", async (koa) => {
    const { contentType, text } = await page.render();
    koa.set("Cache-Control", "no-store");
    koa.set("Content-Type", contentType);
    koa.body = text;
  });
}
