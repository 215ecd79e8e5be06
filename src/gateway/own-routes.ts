import { z } from "zod";
import type { PlainRoute } from "../contract/openapi.ts";

const ok = z.object({ status: z.literal("ok") });
const light = z.enum(["running", "degraded", "down"]);

/** What the gateway serves beside the contracts, for the OpenAPI document. */
export const ownRoutes: Readonly<Record<string, PlainRoute>> = {
  "/livez": { operationId: "getLiveness", summary: "The process is alive", output: ok },
  "/healthz": { operationId: "getHealth", summary: "The process is alive", output: ok },
  "/readyz": {
    operationId: "getReadiness",
    summary: "All modules can take requests; if not, the problem tells which",
    output: ok,
    problems: ["dependency-unavailable", "draining"],
  },
  "/status": {
    operationId: "getStatus",
    summary: "Where each module is and how it is",
    output: z.object({
      topology: z.string(),
      modules: z.array(
        z.object({
          name: z.string(),
          port: z.int(),
          placement: z.enum(["in-process", "remote"]),
          status: light,
          latency_ms: z.number(),
          detail: z.string().nullable(),
        }),
      ),
      bus: z.object({ kind: z.enum(["memory", "redis"]), status: light, detail: z.string().optional() }),
    }),
  },
  "/metrics": {
    operationId: "getMetrics",
    summary: "What this process tells of itself, in the text format of Prometheus; each process has its own",
    output: z.string(),
    mediaType: "text/plain; version=0.0.4; charset=utf-8",
  },
  "/openapi.json": {
    operationId: "getOpenApi",
    summary: "This document",
    output: z.looseObject({ openapi: z.string() }),
  },
};
