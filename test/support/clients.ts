import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { Problem } from "../../src/base/problem.ts";
import { traceOf } from "../../src/base/trace.ts";
import { createAddresses } from "../../src/call/addresses.ts";
import { createHttpCallable } from "../../src/call/http-client.ts";
import { createService } from "../../src/call/service.ts";
import type { CreateTransport } from "../../src/call/transport.ts";
import { createNodeFetchTransport } from "../../src/call/transports/node-fetch.ts";
import { createUndiciTransport } from "../../src/call/transports/undici.ts";
import type { CallContext, Principal } from "../../src/contract/context.ts";
import { type Callable, type ClientOf, createClient, defineContract, operation } from "../../src/contract/contract.ts";
import { createHttpApp } from "../../src/http/app.ts";
import { mountBatches } from "../../src/http/batch-route.ts";
import { mountContract, timeoutOf } from "../../src/http/routes.ts";

const note = z.object({
  id: z.string(),
  text: z.string(),
  tags: z.array(z.string()),
  replayed: z.literal(true).optional(),
});

/** A small contract that has one of everything the kit promises. */
export const notes = defineContract({
  name: "notes",
  problems: { "too-dull": "unprocessable" },
  operations: {
    addNote: operation({
      method: "POST",
      path: "/notes",
      access: "user",
      summary: "Add a note",
      input: z.strictObject({
        text: z.string().max(20),
        tags: z.array(z.string()).default([]),
        idempotencyKey: z.string().max(9).optional(),
      }),
      inputHeaders: { idempotencyKey: { name: "Idempotency-Key" } },
      output: note,
      outputHeaders: { replayed: "Idempotency-Replayed" },
      status: 201,
      problems: ["too-dull"],
      location: ({ id }) => `/notes/${id}`,
    }),
    getNote: operation({
      method: "GET",
      path: "/notes/{id}",
      access: "public",
      summary: "One note",
      input: z.strictObject({
        id: z.string(),
        upper: z.boolean().optional(),
        times: z.int().max(9).optional(),
        wait: z.int().max(30).optional(),
      }),
      inputHeaders: { wait: { name: "Prefer", preference: "wait" } },
      output: note,
      problems: ["not-found"],
      etag: ({ id }) => `"${id}"`,
    }),
    dropNotes: operation({
      method: "POST",
      path: "/notes/drop",
      access: "admin",
      summary: "Drop all notes",
      input: z.strictObject({}),
      output: z.object({ dropped: z.int() }),
      problems: [],
    }),
    tagNote: operation({
      method: "POST",
      path: "/notes/{id}/tags",
      access: "user",
      summary: "Tag a note",
      input: z.strictObject({ id: z.string(), tag: z.string() }),
      output: z.object({}),
      status: 204,
      problems: ["not-found"],
    }),
    putNote: operation({
      method: "PUT",
      path: "/notes/{id}",
      access: "user",
      summary: "Write a note, whether it was there or not",
      input: z.strictObject({ id: z.string(), text: z.string().max(20) }),
      output: note,
      problems: [],
      etag: ({ id }) => `"${id}"`,
    }),
    removeNote: operation({
      method: "DELETE",
      path: "/notes/{id}",
      access: "user",
      summary: "Remove a note, with all its tags if asked to",
      input: z.strictObject({ id: z.string(), tags: z.boolean().optional(), ifMatch: z.string().optional() }),
      inputHeaders: { ifMatch: { name: "If-Match" } },
      output: z.object({}),
      status: 204,
      problems: ["not-found"],
    }),
  },
  events: {},
});

export type NotesClient = ClientOf<typeof notes>;

/** What the notes module saw and how it failed, for the tests to look at. */
export interface Notes {
  readonly client: NotesClient;
  readonly seen: { input: unknown; ctx: CallContext }[];
  readonly unexpected: unknown[];
  /** Answers who asked for the note `slow`, from now on at once. */
  answerSlow(): void;
  close(): Promise<void>;
}

/** The token of a test is the principal itself. */
export function tokenOf(principal: Principal): string {
  return Buffer.from(JSON.stringify(principal)).toString("base64url");
}

export function contextOf(principal: Principal | null, timeoutMs = 20_000): CallContext {
  return {
    principal,
    token: principal === null ? null : tokenOf(principal),
    deadline: performance.now() + timeoutMs,
    requestId: "test-request",
    trace: traceOf(undefined),
  };
}

/** Every way to call the notes module; a spec over "a client" runs on each. */
export const clientRows: readonly { readonly name: string; open(): Promise<Notes> }[] = [
  { name: "a local client", open: async () => openLocal() },
  { name: "an HTTP client on undici", open: () => openRemote(createUndiciTransport) },
  { name: "an HTTP client on node-fetch", open: () => openRemote(createNodeFetchTransport) },
  { name: "an HTTP client on undici, of two replicas", open: () => openRemote(createUndiciTransport, 2) },
  { name: "an HTTP client on node-fetch, of two replicas", open: () => openRemote(createNodeFetchTransport, 2) },
];

function openLocal(): Notes {
  const { service, ...looks } = createNotes();
  return { ...looks, client: createClient(notes, service), close: async () => {} };
}

async function openRemote(transport: CreateTransport, replicas = 1): Promise<Notes> {
  const { service, ...looks } = createNotes();
  const servers = await Promise.all(Array.from({ length: replicas }, () => serveNotes(service)));
  const callable = createHttpCallable(notes, createAddresses(servers.map(({ origin }) => origin)), transport);
  return {
    ...looks,
    client: createClient(notes, callable),
    async close() {
      await callable.close();
      await Promise.all(servers.map(({ close }) => close()));
    },
  };
}

/** Serves a notes service as a process of its own would. */
export async function serveNotes(service: Callable): Promise<{ origin: string; close(): Promise<void> }> {
  const verify = (token: string): Principal => JSON.parse(Buffer.from(token, "base64url").toString());
  const app = createHttpApp(
    (router) => {
      mountContract(router, service, { verify, timeoutMs: timeoutOf(20_000) });
      mountBatches(router, [service], verify, () => {});
    },
    { onUnexpected: () => {} },
  );
  const server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function createNotes(): { service: Callable } & Pick<Notes, "seen" | "unexpected" | "answerSlow"> {
  const seen: Notes["seen"] = [];
  const unexpected: unknown[] = [];
  const { promise: slow, resolve: answerSlow } = Promise.withResolvers<void>();
  const service = createService(
    notes,
    {
      addNote(input, ctx) {
        seen.push({ input, ctx });
        if (input.text === "dull")
          throw notes.problem("too-dull", "Write something else.", { extensions: { tried: input.text } });
        if (input.text === "undeclared") throw new Problem("not-found", "Not for addNote to say.");
        if (input.text === "crash") throw new Error("a secret of the inside");
        input.tags.push("touched");
        const stored = { id: "n1", text: input.text, tags: input.tags, secret: "stays here" };
        return input.idempotencyKey === "again" ? { ...stored, replayed: true as const } : stored;
      },
      async getNote(input, ctx) {
        seen.push({ input, ctx });
        if (input.id === "slow") await slow;
        if (input.id === "never") await new Promise(() => {});
        if (input.id === "missing") throw new Problem("not-found", "There is no such note.");
        if (input.id === "broken") return { id: 5 as never, text: "", tags: [] };
        return { id: input.id, text: String(input.upper ?? input.times ?? "hello"), tags: [] };
      },
      dropNotes: () => ({ dropped: 0 }),
      tagNote(input, ctx) {
        seen.push({ input, ctx });
        if (input.id === "missing") throw new Problem("not-found", "There is no such note.");
        return {};
      },
      putNote(input, ctx) {
        seen.push({ input, ctx });
        return { id: input.id, text: input.text, tags: [] };
      },
      removeNote(input, ctx) {
        seen.push({ input, ctx });
        if (input.id === "missing") throw new Problem("not-found", "There is no such note.");
        return {};
      },
    },
    { onUnexpected: (_operation, error) => unexpected.push(error) },
  );
  return { service, seen, unexpected, answerSlow };
}
