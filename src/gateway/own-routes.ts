import { z } from "zod";
import type { PlainRoute } from "../documents/openapi.ts";
import { busStatus, eventPositions, light } from "../health/event-status.ts";

const ok = json(z.object({ status: z.literal("ok") }));
const page = { "text/html": z.string() };

/** What the gateway serves beside the contracts, for the OpenAPI document. */
export const ownRoutes: Readonly<Record<string, PlainRoute>> = {
  "/livez": { operationId: "getLiveness", summary: "The process is alive", answers: ok },
  "/healthz": { operationId: "getHealth", summary: "The process is alive", answers: ok },
  "/readyz": {
    operationId: "getReadiness",
    summary: "All modules can take requests; if not, the problem tells which",
    answers: ok,
    problems: ["draining"],
  },
  "/status": {
    operationId: "getStatus",
    summary: "Where each module is and how it is, the bus as all processes find it, and which events wait",
    answers: json(
      z.object({
        topology: z.string(),
        deployment: z
          .string()
          .optional()
          .meta({ description: "Tells this deployment from others that use the same Redis, copies of it too" }),
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
        bus: busStatus,
        events: eventPositions.meta({ description: "The numbers of the newest events, and of the last ones applied" }),
        backlog: eventPositions.shape.applied.meta({ description: "Subscriber → publisher → events that wait" }),
      }),
    ),
  },
  "/metrics": {
    operationId: "getMetrics",
    summary: "What this process tells of itself, in the text format of Prometheus; each process has its own",
    answers: { "text/plain; version=0.0.4; charset=utf-8": z.string() },
  },
  "/openapi.json": {
    operationId: "getOpenApi",
    summary: "This document",
    answers: json(z.looseObject({ openapi: z.string() })),
  },
  "/asyncapi.json": {
    operationId: "getAsyncApi",
    summary: "The events that the modules publish, as an AsyncAPI document",
    answers: json(z.looseObject({ asyncapi: z.string() })),
  },
  "/docs": {
    operationId: "getDocs",
    summary: "This document as a page to read and to try out",
    answers: page,
    problems: ["not-found"],
  },
  "/problems": { operationId: "listProblemTypes", summary: "All types of problems, as a page", answers: page },
  "/problems/{name}": {
    operationId: "getProblemType",
    summary: "What one type of problem means and what to do about it; for people, or as JSON",
    answers: {
      ...page,
      ...json(
        z.object({ type: z.string(), title: z.string(), status: z.int(), meaning: z.string(), remedy: z.string() }),
      ),
    },
    problems: ["not-found"],
  },
  "/": { operationId: "getConsole", summary: "The console", answers: page, problems: ["not-found"] },
};

function json(schema: z.ZodType): PlainRoute["answers"] {
  return { "application/json": schema };
}
