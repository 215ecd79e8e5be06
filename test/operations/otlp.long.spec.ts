import { expect } from "chai";
import { addProduct, bodyOf, createApi, register, signIn } from "../support/api.ts";
import { until } from "../support/process.ts";
import { fourProcesses, SERVICES } from "../support/topology.ts";
import { type ReceivedSpan, startOtlpReceiver, startSilentReceiver } from "./otlp-receiver.ts";

describe("export of traces by OTLP, four processes", () => {
  it("an order is one trace, from the gateway's request to the change of stock", async () => {
    const receiver = await startOtlpReceiver();
    const shop = await fourProcesses.start({
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_HEADERS: "x-api-key=key%20of%20the%20test",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=test",
    });
    const api = createApi(shop.url);
    try {
      const customer = await register(api, "traced");
      const productId = await addProduct(api, await signIn(api), 5);
      const traceId = "5aa0c0de5aa0c0de5aa0c0de5aa0c0de";
      const order = await api.post("/orders", { product_id: productId, quantity: 2 }, customer.token, {
        traceparent: `00-${traceId}-00f067aa0ba902b7-01`,
      });
      expect(order.status).to.equal(201);
      await shop.settled();
      const ofOrder = () => receiver.spans.filter((span) => span.traceId === traceId);
      const isThere = (name: RegExp, service: string) =>
        ofOrder().some((span) => name.test(span.name) && span.service === `quartet-${service}`);
      await until("the spans of all four processes have come", () =>
        [
          isThere(/^POST \/orders$/, "gateway"),
          isThere(/getUser/, "users"),
          isThere(/order\.created/, "orders"),
          isThere(/order\.created/, "products"),
          isThere(/UPDATE products/, "products"),
          isThere(/stock\.reserved/, "orders"),
          parentsMissing(ofOrder()).length === 0, // what another process has told may come later than what it caused
        ].every(Boolean),
      );
      expect(ofOrder().filter(({ parentId }) => parentId === "00f067aa0ba902b7")).to.have.length(1);
      expect(new Set(ofOrder().map(({ instance }) => instance)).size).to.equal(4);
      expect(receiver.headers()["x-api-key"]).to.equal("key of the test");
    } finally {
      await api.close();
      await shop.stop();
      await receiver.stop();
    }
  });

  it("every request is traced, but those that whoever stands in front has left out", async () => {
    const receiver = await startOtlpReceiver();
    const shop = await fourProcesses.start({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.url}/v1/traces`,
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_SERVICE_NAME: "shop",
    });
    const api = createApi(shop.url);
    const leftOut = "0ff0c0de0ff0c0de0ff0c0de0ff0c0de";
    try {
      await api.get("/products", undefined, { traceparent: `00-${leftOut}-00f067aa0ba902b7-00` });
      await api.get("/products");
      await until("a trace has come", () => receiver.spans.some(({ name }) => name === "GET /products"));
    } finally {
      await api.close();
      await shop.stop(); // what was still waiting is sent
    }
    await receiver.stop();
    expect(receiver.spans.filter(({ traceId }) => traceId === leftOut)).to.deep.equal([]);
    expect(receiver.spans.filter(({ name }) => name === "GET /products")).to.have.length(1);
    expect(new Set(receiver.spans.map(({ service }) => service))).to.deep.equal(new Set(["shop"]));
  });

  for (const kind of ["hangs", "is away"] as const) {
    it(`a receiver that ${kind} harms no request and no stop`, async () => {
      const receiver = await startSilentReceiver();
      if (kind === "is away") await receiver.stop();
      const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: "50" };
      const shop = await fourProcesses.start(settings);
      const api = createApi(shop.url);
      try {
        const admin = await signIn(api);
        const answers = await Promise.all(Array.from({ length: 200 }, () => api.get("/orders", admin.token)));
        expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([200]));
        if (kind === "hangs") await until("it was sent something", () => receiver.requests() > 0);
        bodyOf(await api.get("/products"));
        const exits = await Promise.all(SERVICES.map((service) => shop.process(service).terminate()));
        // A stop that takes ten seconds is cut short, with status 1.
        expect(exits.map(({ code }) => code)).to.deep.equal(SERVICES.map(() => 0));
      } finally {
        await api.close();
        await shop.stop();
        if (kind === "hangs") await receiver.stop();
      }
    });
  }
});

function parentsMissing(spans: readonly ReceivedSpan[]): ReceivedSpan[] {
  const known = new Set(["00f067aa0ba902b7", ...spans.map(({ spanId }) => spanId)]);
  return spans.filter(({ parentId }) => !known.has(parentId));
}
