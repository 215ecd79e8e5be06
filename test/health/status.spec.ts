import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { BusStatus } from "../../src/bus/bus.ts";
import { createAddresses } from "../../src/call/addresses.ts";
import type { EventPositions } from "../../src/health/event-status.ts";
import { createLocalProbe, createRemoteProbe } from "../../src/health/module-probe.ts";
import { createReplicatedProbe } from "../../src/health/replicated-probe.ts";
import { type HealthDeps, mountHealth } from "../../src/health/status.ts";
import { createHttpApp } from "../../src/http/app.ts";

/** For whoever is not to be slow: a machine that stands still for a second makes nobody hang. */
const TIMEOUT_MS = 30_000;

describe("health and status", () => {
  const servers: Server[] = [];
  let usersFault: string | undefined;
  let draining: boolean;
  let busStatus: BusStatus;
  let positions: EventPositions;

  beforeEach(() => {
    usersFault = undefined;
    positions = { published: {}, applied: {} };
    draining = false;
    busStatus = { kind: "memory", status: "running" };
  });

  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  });

  async function listen(handler: RequestListener): Promise<{ url: string; port: number; server: Server }> {
    const server = createServer(handler).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}`, port, server };
  }

  /** A process of ours with these probes. */
  function serve(probes: HealthDeps["probes"], own: Partial<HealthDeps> = {}) {
    const events = async () => positions;
    const deps = {
      probes,
      busStatus: () => busStatus,
      events,
      draining: () => draining,
      topology: () => "one process",
      ...own,
    };
    const app = createHttpApp((router) => mountHealth(router, deps), {
      onUnexpected: (error) => {
        throw error;
      },
    });
    return listen(app.callback());
  }

  const gateway = createLocalProbe("gateway", 8000, () => undefined);
  const users = createLocalProbe("users", 8001, () => usersFault);

  it("answers ok while all is well", async () => {
    const { url } = await serve([gateway, users]);
    for (const path of ["/livez", "/readyz", "/healthz"]) {
      const answer = await fetch(url + path);
      expect(answer.status).to.equal(200);
      expect(answer.headers.get("cache-control")).to.equal("no-store");
      expect(await answer.json()).to.deep.equal({ status: "ok" });
    }
  });

  it("shows every module, the bus and the topology", async () => {
    usersFault = "the disk is full";
    busStatus = { kind: "redis", status: "down", detail: "no connection" };
    const { url } = await serve([gateway, users]);
    expect(await (await fetch(`${url}/status`)).json()).to.deep.equal({
      topology: "one process",
      modules: [
        { name: "gateway", port: 8000, placement: "in-process", status: "running", latency_ms: 0, detail: null },
        {
          name: "users",
          port: 8001,
          placement: "in-process",
          status: "degraded",
          latency_ms: 0,
          detail: "the disk is full",
        },
      ],
      bus: { kind: "redis", status: "down", detail: "no connection" },
      events: { published: {}, applied: {} },
      backlog: {},
    });
  });

  it("is not ready while a module is not, but lives", async () => {
    usersFault = "the disk is full";
    const { url } = await serve([gateway, users]);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).to.equal(503);
    expect(answer.headers.get("retry-after")).to.equal("1");
    expect(await answer.json()).to.deep.include({
      type: "/problems/dependency-unavailable",
      detail: "Not ready: users.",
      modules: [
        { name: "gateway", ready: true, reason: null },
        { name: "users", ready: false, reason: "the disk is full" },
      ],
    });
    expect((await fetch(`${url}/livez`)).status).to.equal(200);
    usersFault = undefined;
    expect((await fetch(`${url}/readyz`)).status).to.equal(200);
  });

  it("is not ready while it drains", async () => {
    draining = true;
    const { url } = await serve([users]);
    const answer = await fetch(`${url}/readyz`);
    expect(answer.status).to.equal(503);
    expect(await answer.json()).to.include({ type: "/problems/draining" });
    expect((await fetch(`${url}/livez`)).status).to.equal(200);
  });

  it("refuses another method", async () => {
    const { url } = await serve([users]);
    const answer = await fetch(`${url}/status`, { method: "POST" });
    expect(answer.status).to.equal(405);
    expect(answer.headers.get("allow")).to.equal("GET, HEAD, OPTIONS");
  });

  describe("of a module in another process", () => {
    it("is running, with the time that its answer took", async () => {
      const { url, port } = await serve([users]);
      const probe = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS });
      expect(probe).to.include({ name: "users", port, placement: "remote" });
      const health = await probe.check();
      expect(health).to.include({ ready: true, reachable: true });
      expect(health.latencyMs).to.be.above(0);
    });

    it("is not ready for the reason that it gives itself", async () => {
      usersFault = "the disk is full";
      const { url, port } = await serve([users]);
      const health = await createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS }).check();
      expect(health).to.include({ ready: false, reachable: true, reason: "the disk is full" });
    });

    it("is not ready while it drains", async () => {
      draining = true;
      const { url, port } = await serve([users]);
      const health = await createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS }).check();
      expect(health).to.include({ ready: false, reachable: true, reason: "This process is about to stop." });
    });

    it("is not ready when something else answers there", async () => {
      const { url, port } = await listen((_, res) => res.writeHead(502).end("<html>Bad gateway</html>"));
      const health = await createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS }).check();
      expect(health).to.include({ ready: false, reachable: true, reason: "answers 502" });
    });

    it("is down when nobody listens", async () => {
      const { url, port, server } = await serve([users]);
      servers.splice(0);
      server.close();
      await once(server, "close");
      const remote = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS });
      const { url: own } = await serve([gateway, remote]);
      const { modules } = (await (await fetch(`${own}/status`)).json()) as { modules: Record<string, unknown>[] };
      expect(modules[1]).to.include({ name: "users", status: "down", detail: "does not answer" });
      expect((await fetch(`${own}/readyz`)).status).to.equal(503);
    });

    it("is down when it hangs, and makes nobody wait for it longer than the timeout", async () => {
      const { url, port } = await listen(() => {});
      const health = await createRemoteProbe({ name: "users", port, url, timeoutMs: 50 }).check();
      expect(health).to.include({ ready: false, reachable: false, reason: "does not answer within 50 ms" });
    });

    it("is asked once, however many ask at once or soon after", async () => {
      let requests = 0;
      const { url, port } = await listen((req, res) => {
        if (req.url === "/readyz") requests++;
        res.end("{}");
      });
      const remote = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS, cacheMs: 60_000 });
      const { url: own } = await serve([remote]);
      await Promise.all(Array.from({ length: 50 }, () => fetch(`${own}/status`)));
      await fetch(`${own}/readyz`);
      expect(requests).to.equal(1);
    });

    it("is degraded while it cannot apply events, and takes requests all the same", async () => {
      const stall = "users lacks events of orders and waits for them";
      const stalled = createLocalProbe(
        "users",
        8001,
        () => undefined,
        () => stall,
      );
      const { url, port } = await serve([stalled], {
        busStatus: () => ({ kind: "redis", status: "degraded", detail: stall }),
        events: async () => ({ published: { users: 3 }, applied: { users: { orders: 5, products: 1 } } }),
      });
      busStatus = { kind: "redis", status: "running" };
      positions = { published: { orders: 12 }, applied: {} };
      const remote = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS });
      const { url: own } = await serve([gateway, remote]);
      const status = (await (await fetch(`${own}/status`)).json()) as Record<string, unknown>;
      const [, users] = status.modules as Record<string, unknown>[];
      expect(users).to.include({ name: "users", status: "degraded", detail: stall });
      expect(status.bus).to.deep.equal({ kind: "redis", status: "degraded", detail: stall });
      // Nobody tells how much products has published.
      expect(status.backlog).to.deep.equal({ users: { orders: 7 } });
      expect((await fetch(`${own}/readyz`)).status).to.equal(200);
    });

    it("tells of a bus that is down for it alone", async () => {
      const away = { kind: "redis", status: "down", detail: "connect ECONNREFUSED" } as const;
      const { url, port } = await serve([users], { busStatus: () => away });
      busStatus = { kind: "redis", status: "running" };
      const remote = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS, cacheMs: 0 });
      const { url: own } = await serve([gateway, remote]);
      const busNow = async () => ((await (await fetch(`${own}/status`)).json()) as { bus: BusStatus }).bus;
      expect(await busNow()).to.deep.equal({ ...away, detail: "users: connect ECONNREFUSED" });
      busStatus = away; // nobody needs to be told the same twice
      expect(await busNow()).to.deep.equal(away);
    });

    it("of which there are several is ready as long as one is, and each is told", async () => {
      const faults: (string | undefined)[] = [undefined, undefined];
      const replicas = await Promise.all(
        faults.map((_, at) =>
          serve([createLocalProbe("users", 8001, () => faults[at])], {
            events: async () => ({ published: { users: 5 + at }, applied: { users: { orders: 2 - at } } }),
          }),
        ),
      );
      const urls = replicas.map(({ url }) => url);
      const addresses = createAddresses(urls);
      const { url } = await serve([
        createReplicatedProbe({ name: "users", port: 8001, addresses, timeoutMs: TIMEOUT_MS, cacheMs: 0 }),
      ]);
      const look = async () => {
        const { modules, events } = (await (await fetch(`${url}/status`)).json()) as {
          modules: { status: string; detail: string | null; replicas: { address: string; status: string }[] }[];
          events: EventPositions;
        };
        const [{ status, detail, replicas } = { status: "", detail: "", replicas: [] }] = modules;
        expect(replicas.map(({ address }) => address)).to.deep.equal(urls);
        return { all: status, each: replicas.map(({ status }) => status), detail, events };
      };
      const events = { published: { users: 6 }, applied: { users: { orders: 2 } } };
      expect(await look()).to.deep.equal({ all: "running", each: ["running", "running"], detail: null, events });
      faults[1] = "has no disk";
      const degraded = { all: "degraded", each: ["running", "degraded"], detail: `${urls[1]} has no disk`, events };
      expect(await look()).to.deep.equal(degraded);
      expect((await fetch(`${url}/readyz`)).status).to.equal(200);
      faults[0] = "has none either";
      expect(await look()).to.include({ all: "degraded" });
      expect((await fetch(`${url}/readyz`)).status).to.equal(503);
    });

    it("is asked again when its answer is old", async () => {
      const { url, port } = await serve([users]);
      const probe = createRemoteProbe({ name: "users", port, url, timeoutMs: TIMEOUT_MS, cacheMs: 0 });
      expect((await probe.check()).ready).to.equal(true);
      usersFault = "the disk is full";
      expect((await probe.check()).ready).to.equal(false);
    });
  });
});
