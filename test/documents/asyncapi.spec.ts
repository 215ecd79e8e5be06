import { Parser } from "@asyncapi/parser";
import { expect } from "chai";
import { describeEvents } from "../../src/documents/asyncapi.ts";
import { publicContracts } from "../../src/runtime/modules.ts";

const document = describeEvents(publicContracts, { title: "Quartet", version: "1.0.0" });
const types = publicContracts.flatMap(({ events }) => Object.keys(events));

describe("AsyncAPI document", () => {
  it("is accepted by the parser of AsyncAPI without an error", async () => {
    const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document));
    expect(diagnostics.filter(({ severity }) => severity === 0)).to.deep.equal([]);
    expect(parsed?.version()).to.equal("3.0.0");
    expect(
      parsed
        ?.allMessages()
        .all()
        .map((message) => message.name()),
    ).to.include.members(types);
  });

  it("is found wanting by the parser when it is broken", async () => {
    const broken = { ...document, channels: { orders: { servers: [{ $ref: "#/servers/nowhere" }] } } };
    const { diagnostics } = await new Parser().parse(JSON.stringify(broken));
    expect(diagnostics.filter(({ severity }) => severity === 0)).not.to.deep.equal([]);
  });

  it("has every event of the contracts in a channel of either carrier", () => {
    expect(types).to.include("order.created");
    for (const { name, events } of publicContracts) {
      for (const carrier of ["memory", "redis"]) {
        const messages = (document.channels[`${name}-${carrier}`]?.messages ?? {}) as object;
        expect(Object.keys(messages), `${name}-${carrier}`).to.deep.equal(Object.keys(events));
      }
    }
    expect(document.channels["orders-redis"]?.address).to.equal("quartet:log:orders");
  });

  it("has an example of each event that its contract takes", () => {
    for (const { events } of publicContracts) {
      for (const [type, schema] of Object.entries(events)) {
        const message = document.components.messages?.[type] as { examples: [{ payload: { data: unknown } }] };
        expect(schema.safeParse(message.examples[0].payload.data).error, type).to.equal(undefined);
      }
    }
  });
});
