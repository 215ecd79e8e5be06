import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { addProduct, bodyOf, createApi, register, signIn } from "../support/api.ts";
import { freePorts, startShopProcess, untilReady } from "../support/process.ts";
import { fourProcesses, fourProcessesNodeFetch, type Settings, TEST_SETTINGS } from "../support/topology.ts";

/** What Kubernetes sets in every pod for a Service called `users` (and so on), if asked to or not. */
const SERVICE_LINKS: Settings = {
  KUBERNETES_SERVICE_HOST: "10.96.0.1",
  USERS_SERVICE_HOST: "10.96.0.12",
  USERS_SERVICE_PORT: "8001",
  USERS_PORT: "tcp://10.96.0.12:8001",
  USERS_PORT_8001_TCP_PROTO: "tcp",
  PRODUCTS_PORT: "udp://10.96.0.13:8002",
  REDIS_PORT: "tcp://10.96.0.14:6379",
  REDIS_SERVICE_HOST: "10.96.0.14",
};

/** What the standard says to pass over when it cannot be: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ */
const OTEL_RUBBISH: Settings = {
  OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "carrier-pigeon",
  OTEL_EXPORTER_OTLP_ENDPOINT: "collector:4317",
  OTEL_TRACES_EXPORTER: "zipkin",
  OTEL_SDK_DISABLED: "perhaps",
};

describe("what an environment sets for all its programs", () => {
  let folder: string;
  let port: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-environment-"));
    [port = 0] = await freePorts(1);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** Starts it, and resolves what it printed until it was ready and had stopped. */
  async function output(env: Settings, args: readonly string[] = []): Promise<string> {
    const all = { ...TEST_SETTINGS, SEED: "off", DATA_DIR: folder, PORT: `${port}`, ...env };
    const shop = startShopProcess({ env: all, args, cwd: join(folder, "..") });
    try {
      await untilReady(`http://127.0.0.1:${port}`, [shop]);
    } finally {
      await shop.terminate();
    }
    return shop.output();
  }

  it("is passed over where it is the link to a Service of Kubernetes, with a line for each", async () => {
    const told = await output(SERVICE_LINKS);
    for (const name of ["USERS_PORT", "PRODUCTS_PORT"]) {
      expect(told.match(new RegExp(`${name}=.*passed over, .*Kubernetes`, "g")), name).to.have.length(1);
    }
    expect(told).not.to.include("REDIS_PORT");
  });

  it("is passed over where it is a setting of OpenTelemetry that cannot be, with a line for each", async () => {
    const told = await output(OTEL_RUBBISH);
    for (const [name, value] of Object.entries(OTEL_RUBBISH)) {
      expect(told.match(new RegExp(`${name}=${value}: passed over`, "g")), name).to.have.length(1);
    }
  });

  it("is told of once where the SDK of OpenTelemetry passes it over", async () => {
    const told = await output({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OTEL_TRACES_SAMPLER: "sometimes",
      OTEL_RESOURCE_ATTRIBUTES: "no attribute at all",
      OTEL_BSP_MAX_QUEUE_SIZE: "many",
    });
    for (const name of ["OTEL_TRACES_SAMPLER", "OTEL_RESOURCE_ATTRIBUTES", "OTEL_BSP_MAX_QUEUE_SIZE"]) {
      expect(told.match(new RegExp(`OpenTelemetry: .*${name}`, "g")), name).to.have.length(1);
    }
  });

  it("turns export off as the standard has it", async () => {
    expect(await output({ OTEL_SDK_DISABLED: "TRUE", OTEL_TRACES_EXPORTER: "none" })).not.to.include("OTEL_");
  });

  it("is passed over where a shell has named the machine by HOST, but not where --host names it", async () => {
    for (const HOST of [hostname(), "x86_64-conda-linux-gnu"]) {
      expect(await output({ HOST })).to.match(new RegExp(`HOST=${HOST}: passed over, .*--host`));
    }
    expect(await output({ HOST: "nowhere.invalid" }, ["--host", "127.0.0.1"])).not.to.include("HOST");
  });

  it("changes nothing where it is about colours, languages, zones or debugging", async () => {
    const told = await output({
      ...{ NO_COLOR: "1", FORCE_COLOR: "1", TZ: "Not/There", LANG: "tlh_QO.UTF-8", LC_ALL: "C", HOSTNAME: "elsewhere" },
      ...{ DEBUG: "express:*", LOG_LEVEL: "WARN", npm_config_loglevel: "silent", npm_config_prefix: "/nowhere" },
      NODE_OPTIONS: "--max-old-space-size=512 --no-deprecation",
    });
    expect(told).not.to.match(/passed over|expected/);
  });

  it("is still told as a mistake where only a person can have meant it", async () => {
    const wrong = { USERS_PORT: "eight thousand", PRODUCTS_PORT: "http://10.96.0.13:8002", CALL_TIMEOUT: "tcp://1:2" };
    const env = { ...TEST_SETTINGS, DATA_DIR: folder, PORT: `${port}`, ...wrong };
    const flags = ["--otel-exporter-otlp-protocol", "grpc", "--orders-port", "tcp://10.96.0.14:8003"];
    const shop = startShopProcess({ env, args: flags, cwd: join(folder, "..") });
    expect(await shop.exited).to.deep.equal({ code: 1, signal: null });
    for (const mistake of [
      "USERS_PORT=eight thousand: expected a whole number",
      "PRODUCTS_PORT=http://10.96.0.13:8002: expected a whole number",
      "CALL_TIMEOUT=tcp://1:2: expected a whole number",
      "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: expected http/protobuf",
      "ORDERS_PORT=tcp://10.96.0.14:8003: expected a whole number",
    ]) {
      expect(shop.output()).to.include(mistake);
    }
  });

  for (const topology of [fourProcesses, fourProcessesNodeFetch]) {
    it(`sends no call between services through its proxy: ${topology.name}`, async () => {
      let connections = 0;
      const proxy = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      await once(proxy, "listening");
      const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"];
      const proxies = Object.fromEntries(names.map((name) => [name, url]));
      const shop = await topology.start({ ...proxies, NODE_USE_ENV_PROXY: "1", NO_PROXY: "", no_proxy: "" });
      const api = createApi(shop.url);
      try {
        const customer = await register(api, "proxied");
        const productId = await addProduct(api, await signIn(api), 5);
        const order = await api.post("/orders", { product_id: productId, quantity: 1 }, customer.token);
        expect(order.status, JSON.stringify(bodyOf(order))).to.equal(201);
        await shop.settled();
        expect(connections).to.equal(0);
      } finally {
        await api.close();
        await shop.stop();
        proxy.close();
      }
    });
  }
});
