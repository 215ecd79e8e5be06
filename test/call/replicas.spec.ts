import { once } from "node:events";
import { createServer, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { isProblem, Problem } from "../../src/base/problem.ts";
import { createAddresses } from "../../src/call/addresses.ts";
import { CLOCK_HEADER } from "../../src/call/batch.ts";
import { createHttpCallable, type HttpCallable } from "../../src/call/http-client.ts";
import { processTimeMs } from "../../src/call/peer-clock.ts";
import { createNodeFetchTransport } from "../../src/call/transports/node-fetch.ts";
import { createUndiciTransport } from "../../src/call/transports/undici.ts";
import { createClient } from "../../src/contract/contract.ts";
import { refuseRequest } from "../../src/http/parser-errors.ts";
import { contextOf, notes } from "../support/clients.ts";
import { until } from "../support/process.ts";

const ada = { id: "ada", role: "customer" } as const;

/** A replica that does as it is told, and counts the calls that reach it. */
interface Replica {
  readonly origin: string;
  calls: number;
  /** How it answers calls. */
  answer: RequestListener;
  isReady: boolean;
  stop(): void;
}

const breakOff: RequestListener = ({ socket }) => socket.destroy();
const starting: RequestListener = (request, response) =>
  refuseRequest(request, response, new Problem("dependency-unavailable", "This process is starting."));
const stopping: RequestListener = (_request, response) => answerNote(response.setHeader("Connection", "close"));
const serving: RequestListener = (_request, response) => answerNote(response);

/** As a line of a batch, or alone. */
function answerNote(response: ServerResponse): void {
  const note = { id: "n1", text: "hi", tags: [] };
  const isBatch = response.req.method === "POST";
  response.end(isBatch ? `${JSON.stringify({ index: 0, output: note })}\n` : JSON.stringify(note));
}

const transports = { undici: createUndiciTransport, "node-fetch": createNodeFetchTransport };
for (const [transport, createTransport] of Object.entries(transports)) {
  describe(`calls to the replicas of a module, on ${transport}`, () => {
    let one: Replica;
    let other: Replica;
    let callable: HttpCallable;

    beforeEach(async () => {
      [one, other] = [await startReplica(), await startReplica()];
      callable = createHttpCallable(notes, createAddresses([one.origin, other.origin]), createTransport);
    });
    afterEach(async () => {
      await callable.close();
      one.stop();
      other.stop();
    });

    const read = () => createClient(notes, callable).getNote({ id: "n1" }, contextOf(null));
    const add = (idempotencyKey?: string) => {
      const input = { text: "hi", ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
      return createClient(notes, callable).addNote(input, contextOf(ada));
    };

    it("go to each in its turn", async () => {
      for (let n = 0; n < 6; n++) await read();
      expect([one.calls, other.calls]).to.deep.equal([3, 3]);
    });

    it("go to the other when one is not there, also those without a key: they have not arrived", async () => {
      one.stop();
      for (let n = 0; n < 20; n++) await add();
      expect(other.calls).to.equal(20);
      expect([...callable.breakers().keys()]).to.deep.equal([one.origin, other.origin]);
      expect(callable.breakers().get(other.origin)).to.equal("closed");
    });

    it("go to the other while one starts, and once it is ready to both again", async () => {
      one.answer = starting;
      one.isReady = false;
      for (let n = 0; n < 20; n++) await add();
      expect(other.calls).to.equal(20);
      expect(one.calls).to.equal(1);
      one.answer = serving;
      one.isReady = true;
      await until("it is called again", async () => {
        await read();
        return one.calls > 2;
      });
    });

    it("go to the other as soon as one says that it stops", async () => {
      one.answer = stopping;
      one.isReady = false;
      for (let n = 0; n < 20; n++) await add();
      expect([one.calls, other.calls]).to.deep.equal([1, 19]);
    });

    it("are tried on the other where that is safe, when the connection broke", async () => {
      one.answer = breakOff;
      one.isReady = false;
      for (let n = 0; n < 4; n++) await add(`k${n}`);
      expect([one.calls, other.calls]).to.deep.equal([1, 4]);
    });

    it("are not tried again where that is not safe: it may have been done", async () => {
      one.answer = other.answer = breakOff;
      const error = await add().catch((reason: unknown) => reason);
      if (!isProblem(error)) throw new Error(`no problem, but ${JSON.stringify(error)}`);
      expect([error.code, error.options.extensions?.outcome]).to.deep.equal(["dependency-unavailable", "unknown"]);
      expect(one.calls + other.calls).to.equal(1);
    });

    it("go where one is when all were away and it is back first", async () => {
      one.answer = other.answer = breakOff;
      one.isReady = other.isReady = false;
      for (let n = 0; n < 12; n++) await read().catch(() => undefined);
      other.answer = serving;
      other.isReady = true;
      await until("a call gets through", () =>
        read().then(
          () => true,
          () => false,
        ),
      );
      await read();
    });
  });

  describe(`connections to an address, on ${transport}`, () => {
    it("are used for a while only, so that each replica behind it gets its share", async () => {
      let connections = 0;
      const server = createServer((_request, response) => response.end("hi"))
        .on("connection", () => connections++)
        .listen(0, "127.0.0.1");
      await once(server, "listening");
      const { send, close } = createTransport(originOf(server), 20);
      await until("another is made", async () => {
        const signal = AbortSignal.timeout(60_000);
        const answer = await send({ method: "GET", path: "/", headers: {}, body: undefined, signal });
        for await (const piece of answer.body) expect(piece).to.equal("hi");
        return connections > 2;
      });
      await close();
      server.close();
    });
  });
}

describe("the addresses of a module", () => {
  const v4 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 4 }));
  const v6 = (...addresses: string[]) => addresses.map((address) => ({ address, family: 6 }));

  it("are those that are listed, and nobody is asked for them", async () => {
    const listed = ["http://10.0.0.1:8003", "http://[::1]:8003"];
    const addresses = createAddresses(listed, () => Promise.reject(new Error("asked")));
    expect(await addresses()).to.deep.equal(listed);
  });

  it("are all that a name has, of the family with more", async () => {
    const names: Record<string, ReturnType<typeof v4>> = {
      orders: [...v4("10.0.0.2", "10.0.0.1"), ...v6("fd00::1")],
      users: v6("fd00::2", "fd00::3"),
    };
    const addresses = createAddresses(["http://orders:8003", "http://users"], async (name) => names[name] ?? []);
    expect(await addresses()).to.deep.equal([
      "http://10.0.0.1:8003",
      "http://10.0.0.2:8003",
      "http://[fd00::2]:80",
      "http://[fd00::3]:80",
    ]);
  });

  it("is a name itself that has one, or one of each family, or that nobody knows", async () => {
    for (const found of [v4("127.0.0.1"), [...v6("::1"), ...v4("127.0.0.1")], []]) {
      expect(await createAddresses(["http://orders:8003"], async () => found)()).to.deep.equal(["http://orders:8003"]);
    }
    const unknown = createAddresses(["http://orders:8003"], () => Promise.reject(new Error("ENOTFOUND")));
    expect(await unknown()).to.deep.equal(["http://orders:8003"]);
  });

  it("are looked up again while calls go on: whoever is added is called", async () => {
    let present = v4("10.0.0.1", "10.0.0.2");
    const addresses = createAddresses(["http://orders:8003"], async () => present, 10);
    expect(await addresses()).to.deep.equal(["http://10.0.0.1:8003", "http://10.0.0.2:8003"]);
    present = v4("10.0.0.1", "10.0.0.2", "10.0.0.3");
    await until("the new one is known", async () => (await addresses()).includes("http://10.0.0.3:8003"));
  });
});

async function startReplica(): Promise<Replica> {
  const server = createServer(async (request, response) => {
    await once(request.resume(), "end");
    if (request.url === "/readyz") {
      response.writeHead(replica.isReady ? 200 : 503).end("{}");
      return;
    }
    if (request.url === "/livez") {
      response.setHeader(CLOCK_HEADER, String(processTimeMs())).end("{}");
      return;
    }
    replica.calls += 1;
    replica.answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const replica: Replica = {
    origin: originOf(server),
    calls: 0,
    answer: serving,
    isReady: true,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
  return replica;
}

function originOf(server: Server): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address}:${port}`;
}
