import { z } from "zod";
import type { Contract } from "../contract/contract.ts";
import { id, timestamp } from "../contract/schemas.ts";
import { exampleOf } from "./example.ts";
import { createSchemaRegistry, type JsonSchema } from "./json-schema.ts";
import type { ApiInfo } from "./openapi.ts";

type Described = Record<string, unknown>;

/** An AsyncAPI 3.0 document: https://www.asyncapi.com/docs/reference/specification/v3.0.0 */
export interface AsyncApiDocument {
  readonly asyncapi: "3.0.0";
  readonly info: ApiInfo;
  readonly defaultContentType: string;
  readonly servers: Readonly<Record<string, Described>>;
  readonly channels: Readonly<Record<string, Described>>;
  readonly operations: Readonly<Record<string, Described>>;
  readonly components: Readonly<Record<string, Described>>;
}

/** What carries events, and under which name it carries those of a module. */
const CARRIERS = {
  memory: {
    host: "localhost",
    protocol: "eventemitter2",
    description: "Where all modules share a process: an emitter that hands over the rows of a log as they commit.",
    address: (publisher: string) => publisher,
  },
  redis: {
    host: "redis:6379",
    protocol: "redis",
    description:
      "Where they do not: a Redis stream for each log, whose entry `<seq>-0` has the fields epoch, previous_epoch and event.",
    address: (publisher: string) => `quartet:log:${publisher}`,
  },
} as const;

/** The envelope: CloudEvents 1.0 in its JSON form, with the distributed-tracing extension. */
const envelope = z
  .object({
    specversion: z.literal("1.0"),
    id,
    source: z.string().meta({ description: "`/<module>` that published it", examples: ["/orders"] }),
    type: z.string(),
    subject: z
      .string()
      .meta({ description: "The id of what it is about", examples: ["01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b"] }),
    time: timestamp,
    datacontenttype: z.literal("application/json"),
    traceparent: z
      .string()
      .optional()
      .meta({
        description: "W3C Trace Context: the span that caused it",
        examples: ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
      }),
    data: z.looseObject({}),
  })
  .meta({ id: "CloudEvent" });

const position = z
  .object({
    seq: z
      .int()
      .min(1)
      .meta({ description: "Dense: 1, 2, 3…", examples: [42] }),
    epoch: z
      .string()
      .meta({ description: "Names the opening of the database that wrote the row", examples: ["k3J9xQ2mVbTzA0Lf"] }),
    previous_epoch: z
      .string()
      .meta({ description: "The epoch of the row before, empty for row 1", examples: ["k3J9xQ2mVbTzA0Lf"] }),
  })
  .meta({ id: "LogPosition", description: "Where in its publisher's log an event stands" });

/**
 * Describes the events that the modules publish, from their contracts, for each carrier: the same events travel by
 * either, at least once and in the order of their log.
 */
export function describeEvents(contracts: readonly Contract[], info: ApiInfo): AsyncApiDocument {
  const registry = createSchemaRegistry();
  registry.describe(envelope, "input"); // as subscribers take it: a publisher may add members
  registry.describe(position, "input");
  const publishers = contracts.filter(({ events }) => Object.keys(events).length > 0);
  const messages = publishers.flatMap(({ name, events }) =>
    Object.entries(events).map(([type, schema]) => [
      type,
      message(name, type, registry.describe(schema, "input"), registry.named),
    ]),
  );
  const lines = publishers.flatMap(({ name, events }) =>
    Object.keys(CARRIERS).map((carrier) => ({ name, events, carrier })),
  );
  return {
    asyncapi: "3.0.0",
    info,
    defaultContentType: "application/cloudevents+json",
    servers: Object.fromEntries(Object.entries(CARRIERS).map(([name, { address: _, ...server }]) => [name, server])),
    channels: Object.fromEntries(
      lines.map(({ name, events, carrier }) => [`${name}-${carrier}`, channel(name, events, carrier as Carrier)]),
    ),
    operations: Object.fromEntries(
      lines.map(({ name, events, carrier }) => [`${name}-${carrier}`, operation(name, events, carrier)]),
    ),
    components: { schemas: registry.named, messages: Object.fromEntries(messages) },
  };
}

type Carrier = keyof typeof CARRIERS;

function channel(publisher: string, events: Contract["events"], carrier: Carrier): Described {
  return {
    address: CARRIERS[carrier].address(publisher),
    description: `The log of ${publisher}`,
    servers: [{ $ref: `#/servers/${carrier}` }],
    messages: Object.fromEntries(Object.keys(events).map((type) => [type, { $ref: `#/components/messages/${type}` }])),
  };
}

function operation(publisher: string, events: Contract["events"], carrier: string): Described {
  const place = `#/channels/${publisher}-${carrier}`;
  return {
    action: "send",
    summary: `${publisher} publishes what it has committed`,
    channel: { $ref: place },
    messages: Object.keys(events).map((type) => ({ $ref: `${place}/messages/${type}` })),
  };
}

function message(
  publisher: string,
  type: string,
  data: JsonSchema,
  named: Readonly<Record<string, JsonSchema>>,
): Described {
  const own = { properties: { type: { const: type }, source: { const: `/${publisher}` }, data } };
  const example = {
    ...(exampleOf({ $ref: "CloudEvent" }, named) as object),
    type,
    source: `/${publisher}`,
    data: exampleOf(data, named),
  };
  return {
    name: type,
    contentType: "application/cloudevents+json",
    headers: { $ref: "#/components/schemas/LogPosition" },
    payload: { allOf: [{ $ref: "#/components/schemas/CloudEvent" }, own] },
    correlationId: { location: "$message.payload#/traceparent" },
    examples: [{ headers: exampleOf({ $ref: "LogPosition" }, named), payload: example }],
  };
}
