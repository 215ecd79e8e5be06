import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { isProblem } from "../../src/base/problem.ts";
import { createAddresses } from "../../src/call/addresses.ts";
import { CLOCK_HEADER } from "../../src/call/batch.ts";
import { createHttpCallable, type HttpCallable } from "../../src/call/http-client.ts";
import { processTimeMs } from "../../src/call/peer-clock.ts";
import { createNodeFetchTransport } from "../../src/call/transports/node-fetch.ts";
import { createUndiciTransport } from "../../src/call/transports/undici.ts";
import { createClient } from "../../src/contract/contract.ts";
import { contextOf, notes } from "../support/clients.ts";

const ada = { id: "ada", role: "customer" } as const;

type Answer = (response: ServerResponse) => void;

/** A neighbour that has read a request and breaks off may have done what was asked. */
const breakOff: Answer = ({ req }) => req.socket.destroy();

const added: Answer = (response) => answerLine(response, { index: 0, output: { id: "n1", text: "hi", tags: [] } });

/** What the second attempt meets, and what is told of it. */
const seconds: Readonly<Record<string, readonly [Answer, string]>> = {
  "finds nobody": [() => {}, "dependency-unavailable unknown"],
  "is not answered": [() => {}, "upstream-timeout unknown"],
  "breaks off too": [breakOff, "dependency-unavailable unknown"],
  "is told that nothing was begun": [refuse("upstream-timeout", { outcome: "not-begun" }), "upstream-timeout unknown"],
  "meets who stops": [refuse("draining", {}), "draining unknown"],
  "meets the first, which still runs": [refuse("request-in-progress", {}), "request-in-progress undefined"],
};

const transports = { undici: createUndiciTransport, "node-fetch": createNodeFetchTransport };
for (const [transport, createTransport] of Object.entries(transports)) {
  describe(`a call with a key is tried again when the connection broke, on ${transport}`, () => {
    let server: Server;
    let answers: Answer[];
    let bodies: string[];
    let callable: HttpCallable;

    beforeEach(async () => {
      server = createServer(async (request, response) => {
        const body = await text(request);
        if (request.url === "/livez") return tellTime(response);
        bodies.push(body);
        answers.shift()?.(response);
      }).listen(0, "127.0.0.1");
      await once(server, "listening");
      bodies = [];
      callable = createHttpCallable(
        notes,
        createAddresses([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]),
        createTransport,
      );
    });
    afterEach(async () => {
      await callable.close();
      server.close();
      server.closeAllConnections();
    });

    for (const [what, [second, told]] of Object.entries(seconds)) {
      it(`and when the second attempt ${what}, tells ${told}: the first may have run`, async () => {
        const first = what === "finds nobody" ? leave : breakOff;
        answers = [added, first, second];
        await add(20_000); // from here on its time is known
        expect(await outcomeOf(add(what === "is not answered" ? 5_000 : 20_000))).to.equal(told);
        expect(answers, "tried twice").to.have.length(what === "finds nobody" ? 1 : 0);
      });
    }

    it("and is told when it was asked for, and until when it may begin, also the first time", async () => {
      answers = [added];
      const beforeMs = processTimeMs();
      await add(20_000);
      const { calls } = JSON.parse(bodies[0] ?? "") as { calls: { until_ms?: number; asked_ms?: number }[] };
      expect(calls[0]?.asked_ms).to.be.within(beforeMs, processTimeMs() + 200);
      expect(calls[0]?.until_ms).to.be.within(beforeMs, processTimeMs() + 20_000);
    });

    it("and says no more than that nobody is there, when no attempt has arrived", async () => {
      answers = [];
      leave();
      expect(await outcomeOf(add(20_000))).to.equal("dependency-unavailable undefined");
    });

    it("and says no more either of a name that nobody has: a container that was stopped", async () => {
      const stopped = createHttpCallable(notes, createAddresses(["http://orders.invalid:8003"]), createTransport);
      expect(await outcomeOf(add(20_000, stopped))).to.equal("dependency-unavailable undefined");
      await stopped.close();
    });

    function add(timeoutMs: number, whom = callable) {
      const input = { text: "hi", idempotencyKey: "k" };
      return createClient(notes, whom).addNote(input, contextOf(ada, timeoutMs));
    }

    function leave(): void {
      server.close();
      server.closeAllConnections();
    }
  });
}

async function outcomeOf(call: Promise<unknown>): Promise<string> {
  const error = await call.catch((reason: unknown) => reason);
  if (!isProblem(error)) throw new Error(`no problem, but ${JSON.stringify(error)}`);
  return `${error.code} ${error.options.extensions?.outcome}`;
}

function refuse(name: string, members: object): Answer {
  const problem = { type: `/problems/${name}`, detail: "No.", status: 503, ...members };
  return (response) => answerLine(response, { index: 0, problem, retryAfter: null });
}

function answerLine(response: ServerResponse, line: object): void {
  tellTime(response, `${JSON.stringify(line)}\n`);
}

function tellTime(response: ServerResponse, body = ""): void {
  response.setHeader(CLOCK_HEADER, String(processTimeMs()));
  response.end(body);
}
