import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { type EventStream, openEventStream } from "../../src/gateway/console/event-stream.ts";
import { createSpanRing } from "../../src/gateway/console/span-ring.ts";
import type { SpanRecord } from "../../src/telemetry/span-record.ts";
import { type Api, createApi, signIn } from "../support/api.ts";
import { readStream } from "../support/event-stream.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type Shop } from "../support/topology.ts";

describe("the console's stream", () => {
  let shop: Shop;
  let api: Api;

  before(async () => {
    shop = await oneProcess.start({ NODE_ENV: "development" });
    api = createApi(shop.url);
  });

  after(async () => {
    await api?.close();
    await shop?.stop();
  });

  /** Has a request traced. Resolves the id of its trace. */
  async function trace(): Promise<string> {
    const id = randomBytes(16).toString("hex");
    const { status } = await api.get("/products", undefined, { traceparent: `00-${id}-00f067aa0ba902b7-01` });
    expect(status).to.equal(200);
    return id;
  }

  async function isRecorded(traceId: string): Promise<boolean> {
    const { body } = await api.get("/console/traces");
    const { data } = body as { data: { trace_id: string; spans: SpanRecord[] }[] };
    return data.some(({ trace_id, spans }) => trace_id === traceId && spans.some(({ kind }) => kind === "request"));
  }

  it("goes on where it broke off", async () => {
    const first = await readStream(shop.url);
    await first.next("status", ({ processes }) => "orders" in (processes as object));
    const seen = await trace();
    await until("the first is seen", () => first.spans().some(({ kind }) => kind === "request"));
    const lastEventId = first.messages().at(-1)?.id ?? "";
    first.close();

    const missed = await trace();
    await until("the second is recorded", () => isRecorded(missed));
    const second = await readStream(shop.url, { "last-event-id": lastEventId });
    expect((await second.next("hello")).data).to.include({ resumed: true, dropped: 0 });
    await second.next("spans");
    const ids = new Set(second.spans().map(({ trace_id }) => trace_id));
    expect([...ids]).to.deep.equal([missed]);
    expect(first.spans().some(({ trace_id }) => trace_id === seen)).to.equal(true);
    second.close();
  });

  for (const lastEventId of ["", "nonsense", "0123456789ab-1-1", "0123456789ab-999999-1"]) {
    it(`begins now where an earlier stream is not known: "${lastEventId}"`, async () => {
      const reader = await readStream(shop.url, { "last-event-id": lastEventId });
      expect((await reader.next("hello")).data).to.include({ resumed: false, sampling: true });
      const next = await trace();
      const isWhole = () => reader.spans().some(({ kind, trace_id }) => kind === "request" && trace_id === next);
      await until("the next request is told to its end", isWhole);
      expect(reader.spans().every(({ trace_id }) => trace_id === next)).to.equal(true);
      reader.close();
    });
  }

  it("tells how everything is, and can be cached by nobody", async () => {
    const answer = await fetch(`${shop.url}/console/stream`);
    expect(answer.headers.get("content-type")).to.equal("text/event-stream");
    expect(answer.headers.get("cache-control")).to.equal("no-store");
    await answer.body?.cancel();
    const reader = await readStream(shop.url);
    const { data } = await reader.next("status");
    const told = ["topology", "deployment", "modules", "bus", "events", "backlog", "processes", "engines"];
    expect(data).to.have.keys(...told);
    expect(reader.text()).to.match(/^retry: 1000\n\n/);
    reader.close();
  });

  it("tells every second what the shop does, and who comes later what it did", async () => {
    const reader = await readStream(shop.url);
    expect((await api.get("/products")).status).to.equal(200);
    const { data } = await reader.next("pulse", ({ answered }) => Number(answered) > 0);
    expect(data).to.have.keys("at", "answered", "failed", "p50_ms", "p99_ms", "backlog", "placement", "down");
    expect(data).to.include({ failed: 0 });
    expect(data.placement).to.deep.equal({ users: "here", products: "here", orders: "here" });
    expect(data.down).to.deep.equal([]);
    const { data: looked } = await reader.next("pulse", ({ backlog }) => "orders" in (backlog as object));
    expect(looked.backlog).to.deep.equal({ products: 0, orders: 0 });
    reader.close();
    const later = await readStream(shop.url);
    const { pulses } = (await later.next("pulses")).data as { pulses: unknown[] };
    expect(pulses).to.deep.include(data);
    later.close();
  });
});

describe("a reader of the stream who does not read", () => {
  const ring = createSpanRing({ spans: 1_000, traces: 1_000 });
  const ends: (() => void)[] = [];

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  /** A stream, and its reader, who has not read yet. */
  async function openUnread() {
    const opened = Promise.withResolvers<{ stream: EventStream; response: ServerResponse }>();
    const server = createServer((_request, response) => {
      const deps = { ring, epoch: "0123456789ab", lost: () => 0 };
      opened.resolve({ stream: openEventStream(response, deps, {}, ""), response });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      .setEncoding("utf8")
      .pause();
    ends.push(
      () => socket.destroy(),
      () => server.close(),
    );
    socket.write("GET / HTTP/1.0\r\n\r\n");
    return { socket, ...(await opened.promise) };
  }

  it("is not written to after the end, and is left behind soon", async () => {
    const { stream, response } = await openUnread();
    for (let sent = 0; response.writableLength === 0; sent++) {
      ring.add([span(sent, "x".repeat(10_000))]);
      stream.pump();
    }
    stream.end();
    expect(response.closed, "it waits for its reader").to.equal(false);
    stream.send("status", {});
    stream.pump();
    stream.beat();
    await once(response, "close"); // which throws for an error
  });

  it("is not buffered, goes on later, and is told how much it missed", async () => {
    const { socket, stream, response } = await openUnread();
    const padding = "x".repeat(1_000);
    let sent = 0;
    let mostBuffered = 0;
    for (let turn = 0; turn < 400; turn++) {
      ring.add(Array.from({ length: 100 }, () => span(sent++, padding)));
      stream.pump();
      await new Promise(setImmediate);
      mostBuffered = Math.max(mostBuffered, response.writableLength);
    }
    const oneMessage = 150_000;
    expect(mostBuffered).to.be.within(1, oneMessage * 2);

    let text = "";
    socket.on("data", (piece: string) => {
      text += piece;
    });
    socket.resume();
    await until("the newest span arrives", () => text.includes(`"span_id":"${sent - 1}"`));
    const received = text.match(/"span_id"/g)?.length ?? 0;
    const dropped = Number(
      text
        .match(/"dropped":(\d+)/g)
        ?.at(-1)
        ?.split(":")[1],
    );
    expect(received).to.be.below(sent);
    expect(received + dropped).to.equal(sent);
  });
});

function span(number: number, padding: string): SpanRecord {
  return {
    trace_id: "t",
    span_id: String(number),
    parent_id: null,
    kind: "request",
    name: padding,
    service: "gateway",
    peer: null,
    process: "p:1",
    start_us: number,
    duration_us: 1,
    status: "200",
    attributes: {},
  };
}

/** As many as there may be at once. */
const MAX_READERS = 16;

describe("a reader of the console's stream who leaves before being let in", () => {
  it("leaves his place to others", async () => {
    const shop = await fourProcesses.start();
    const api = createApi(shop.url);
    try {
      const { token } = await signIn(api);
      const read = (signal: AbortSignal) =>
        fetch(`${shop.url}/console/stream`, { headers: { authorization: `Bearer ${token}` }, signal });
      // The gateway has verified no token yet: the keys are with users, which does not answer for a moment.
      const { pid } = shop.process("users");
      process.kill(pid, "SIGSTOP");
      await Promise.all(Array.from({ length: MAX_READERS }, () => askAndLeave(shop.url, token)));
      process.kill(pid, "SIGCONT");
      await until("somebody else is let in", async () => {
        const reading = new AbortController();
        const { status } = await read(reading.signal);
        reading.abort();
        if (status === 503) await sleep(200); // while the keys are fetched
        return status === 200;
      });
    } finally {
      await api.close();
      await shop.stop();
    }
  });
});

/** Resolves once the gateway has ended the connection, too: it has read the request, then, and has seen that who sent it has left. */
async function askAndLeave(url: string, token: string): Promise<void> {
  const { port, host } = new URL(url);
  const socket = connect(Number(port), "127.0.0.1").resume();
  socket.end(`GET /console/stream HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`);
  await once(socket, "close");
}

describe("a position in the console's stream", () => {
  it("that nobody was ever told is not gone on from", async () => {
    const ring = createSpanRing();
    const server = createServer((_request, response) => {
      openEventStream(response, { ring, epoch: "0123456789ab", lost: () => 0 }, {}, "0123456789ab-0-500").end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await answer.text()).to.include('"dropped":0,"resumed":false');
    server.close();
  });
});
