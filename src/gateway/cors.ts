import cors from "@koa/cors";
import type { Middleware } from "koa";

/** What a page elsewhere may send beside what every page may. */
const REQUEST_HEADERS = [
  "Authorization",
  "Content-Type",
  "Idempotency-Key",
  "If-Match",
  "If-None-Match",
  "Prefer",
  "X-Request-Id",
  "traceparent",
];

/** What a page elsewhere may read of an answer beside its body. */
const ANSWER_HEADERS = [
  "Allow",
  "ETag",
  "Idempotency-Replayed",
  "Link",
  "Location",
  "Preference-Applied",
  "RateLimit",
  "RateLimit-Policy",
  "Retry-After",
  "WWW-Authenticate",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "X-Request-Id",
];

const PREFLIGHT_SECONDS = 600;

/**
 * Lets pages of other origins use the API (the CORS protocol of the Fetch standard), without credentials that a browser
 * would add by itself: there are none here, a page has to have a token of its own.
 * @param origins such as `https://shop.example`
 * @returns nothing to run where no origin is allowed
 */
export function allowOrigins(origins: readonly string[]): Middleware[] {
  if (origins.length === 0) return [];
  const options = {
    origin: (koa: { get(header: string): string }) => origins.find((origin) => origin === koa.get("Origin")) ?? "",
    allowMethods: "GET,HEAD,POST,PUT,PATCH,DELETE",
    allowHeaders: REQUEST_HEADERS,
    exposeHeaders: ANSWER_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    keepHeadersOnError: false, // they stay on the answer: our problems are answers, not Koa's errors
  };
  return [cors(options)];
}
