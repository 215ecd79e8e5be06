import type Router from "@koa/router";
import type { Contract } from "../contract/contract.ts";
import { type AsyncApiDocument, describeEvents } from "../documents/asyncapi.ts";
import { describeApi, type OpenApiDocument } from "../documents/openapi.ts";
import { ownRoutes } from "./own-routes.ts";

/** The documents of the API, each under the name by which it is served and kept. */
export interface Documents {
  readonly openapi: OpenApiDocument;
  readonly asyncapi: AsyncApiDocument;
}

const API = `An e-commerce back end: users, products and orders behind one gateway.

Every failure is a problem (RFC 9457): its \`type\` leads to a page that says what it means and what to do. Lists come newest first, in
pages: \`next_cursor\`, also as a \`Link\`, leads to the next. Members and query parameters that are not described are refused. An
\`Idempotency-Key\` makes a repeated request safe: it answers what the first one did. \`X-Request-Id\` and \`traceparent\` (W3C Trace
Context) may come with every request.`;

const EVENTS = `What the modules tell each other. A module's change and the events that tell of it commit together; each event then
reaches every subscriber at least once, in the order in which its publisher committed, and is applied once.`;

/** Makes the documents, from the contracts alone. */
export function describeAll(contracts: readonly Contract[], version: string): Documents {
  return {
    openapi: describeApi(contracts, { title: "Quartet", version, description: API }, ownRoutes),
    asyncapi: describeEvents(contracts, { title: "Quartet", version, description: EVENTS }),
  };
}

/** Mounts `/openapi.json` and `/asyncapi.json`; made when first asked for, since that takes longer than a whole start. */
export function mountDocuments(router: Router, contracts: readonly Contract[], version: string): void {
  let made: Readonly<Record<keyof Documents, string>> | undefined;
  const make = () => {
    const { openapi, asyncapi } = describeAll(contracts, version);
    return { openapi: JSON.stringify(openapi), asyncapi: JSON.stringify(asyncapi) };
  };
  for (const name of ["openapi", "asyncapi"] as const) {
    router.get(`/${name}.json`, (koa) => {
      made ??= make();
      koa.type = "application/json; charset=utf-8";
      koa.body = made[name];
    });
  }
}
