import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { isProblem } from "../../src/base/problem.ts";
import { LINGER_MS } from "../../src/call/limits.ts";
import { problemHeaders } from "../../src/call/problem-body.ts";
import { readBody } from "../../src/http/body.ts";
import { until } from "../support/process.ts";

const LIMIT_BYTES = 1000;
const JSON_TYPE = "Content-Type: application/json";

describe("the body reader", () => {
  let server: Server;
  let port: number;
  /** What each request led to: the value that was read, or the code of the problem. */
  const outcomes: unknown[] = [];

  before(async () => {
    server = createServer(async (req, res) => {
      try {
        const value = await readBody(req, { limitBytes: LIMIT_BYTES, expected: req.url === "/expected" });
        outcomes.push(value);
        res.end(JSON.stringify({ value }));
      } catch (error) {
        if (!isProblem(error)) throw error;
        outcomes.push(error.code);
        res.writeHead(error.status, problemHeaders(error)).end(error.code);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  });

  after(() => server.close());
  beforeEach(() => outcomes.splice(0));

  it("reads JSON that is sent with a length", async () => {
    const answer = await post(["Content-Type: application/json; charset=UTF-8"], '{"a":["ü"]}');
    expect(answer).to.include("200 OK").and.include('{"value":{"a":["ü"]}}');
  });

  it("reads JSON that arrives in pieces, cut inside a character", async () => {
    const socket = await open();
    socket.write(head([JSON_TYPE, "Transfer-Encoding: chunked", "Connection: close"]));
    const bytes = Buffer.from('"ü"');
    for (const piece of [bytes.subarray(0, 2), bytes.subarray(2)]) {
      socket.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]));
      await new Promise(setImmediate);
    }
    socket.write("0\r\n\r\n");
    expect(await answerOf(socket)).to.include('{"value":"ü"}');
  });

  it("reads a body of exactly the limit", async () => {
    expect(await post([JSON_TYPE], `"${"x".repeat(LIMIT_BYTES - 2)}"`)).to.include("200 OK");
  });

  const mediaTypes: Record<string, boolean> = {
    "application/json": true,
    "Application/JSON;charset=utf-8": true,
    'application/json ; charset="UTF-8" ': true,
    "application/json;": true,
    "application/json; charset=latin1": false,
    "application/json; charset=utf-8; charset=latin1": false,
    "application/json; profile=x": false,
    "application/jsonp": false,
    "application/problem+json": false,
    "text/plain": false,
    "application/x-www-form-urlencoded": false,
  };
  for (const [type, taken] of Object.entries(mediaTypes)) {
    it(`${taken ? "takes" : "refuses"} ${type}`, async () => {
      const answer = await post([`Content-Type: ${type}`], "{}");
      expect(answer).to.include(taken ? "200 OK" : "unsupported-media-type");
    });
  }

  it("refuses a body without a media type", async () => {
    expect(await post([], "{}"))
      .to.include("415")
      .and.include("unsupported-media-type");
  });

  it("refuses a body that is encoded", async () => {
    expect(await post([JSON_TYPE, "Content-Encoding: gzip"], "{}")).to.include("unsupported-media-type");
    expect(await post([JSON_TYPE, "Content-Encoding: identity"], "{}")).to.include("200 OK");
  });

  it("tells a missing body from a wrong media type", async () => {
    expect(await send(head([])))
      .to.include("400")
      .and.include("invalid-json");
    expect(await post([JSON_TYPE], "")).to.include("invalid-json");
    expect(await post(["Content-Type: text/plain"], "")).to.include("unsupported-media-type");
  });

  it("refuses broken JSON", async () => {
    expect(await post([JSON_TYPE], '{"a":'))
      .to.include("400")
      .and.include("invalid-json");
  });

  it("checks the media type before the size", async () => {
    expect(await send(head(["Content-Type: text/plain", "Content-Length: 5000"]))).to.include("unsupported-media-type");
  });

  it("refuses a body that is announced as too large, without waiting for it, and closes", async () => {
    const answer = await send(head([JSON_TYPE, "Content-Length: 1000000000"]));
    expect(answer).to.include("413").and.include("Connection: close").and.include("payload-too-large");
  });

  it("refuses a chunked body as soon as it is too large, and closes", async () => {
    const chunk = `64\r\n${"x".repeat(100)}\r\n`;
    const answer = await send(head([JSON_TYPE, "Transfer-Encoding: chunked"]) + chunk.repeat(11));
    expect(answer).to.include("413").and.include("Connection: close").and.include("payload-too-large");
  });

  it("lets a client that goes on sending see the answer, instead of a reset", async () => {
    let answer: string | undefined;
    await until("all was sent while the server waits", async () => {
      answer = await goOnSending();
      return answer !== undefined;
    });
    expect(answer).to.include("413").and.include("payload-too-large");
  });

  /** Sends on what was refused. @returns the answer; undefined when this machine took so long that the server may no longer wait */
  async function goOnSending(): Promise<string | undefined> {
    const socket = await open();
    const rest = 500 * 1024;
    const startedAt = performance.now();
    socket.write(head([JSON_TYPE, `Content-Length: ${LIMIT_BYTES + 1 + rest}`]) + "x".repeat(LIMIT_BYTES + 1));
    const [, res] = await once(server, "request");
    await once(res, "close");
    for (let sent = 0; sent < rest; sent += rest / 4) {
      await sleep(10); // a server that has closed already gets the time to say so
      socket.write("x".repeat(rest / 4));
    }
    const answer = await answerOf(socket).catch((error: unknown) => error);
    if (typeof answer === "string") return answer;
    if (performance.now() - startedAt < 0.8 * LINGER_MS) throw answer;
    return undefined;
  }

  it("does not read on for ever when a refused client goes on sending", async () => {
    const socket = await open();
    socket.on("error", () => {}); // the reset that is asked for
    socket.write(head([JSON_TYPE, "Transfer-Encoding: chunked"]));
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    let sentBytes = 0;
    while (!socket.destroyed && sentBytes < 1024 ** 3) {
      sentBytes += chunk.length;
      if (!socket.write(chunk)) await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => {});
    }
    expect(socket.destroyed).to.equal(true);
    expect(sentBytes).to.be.below(64 * 1024 ** 2);
    expect(outcomes).to.deep.equal(["payload-too-large"]);
  });

  it("keeps the connection after a refusal that read the whole body", async () => {
    const socket = await open();
    const broken = `${head([JSON_TYPE, "Content-Length: 1"])}{`;
    const last = `${head([JSON_TYPE, "Content-Length: 2", "Connection: close"])}{}`;
    socket.write(broken + last);
    const answer = await answerOf(socket);
    expect(answer).to.include("invalid-json").and.include('{"value":{}}');
  });

  describe("where no body is expected", () => {
    it("answers undefined when none is sent", async () => {
      await send(head([], "/none"));
      await send(head(["Content-Length: 0"], "/none"));
      await send(`${head(["Transfer-Encoding: chunked"], "/none")}0\r\n\r\n`);
      expect(outcomes).to.deep.equal([undefined, undefined, undefined]);
    });

    it("answers undefined for an empty object, which says nothing", async () => {
      await post([JSON_TYPE], "{}", "/none");
      await post([], " { }\n", "/none");
      await post([JSON_TYPE], '{"":1}', "/none");
      expect(outcomes).to.deep.equal([undefined, undefined, null]);
    });

    it("answers a value when one is sent, of whatever type", async () => {
      await post(["Content-Type: text/plain"], "hello", "/none");
      expect(outcomes).to.deep.equal([null]);
    });

    it("refuses one that is too large", async () => {
      expect(await post([], "x".repeat(2000), "/none")).to.include("payload-too-large");
    });
  });

  it("settles when the client goes away in the middle", async () => {
    const socket = await open();
    socket.write(`${head([JSON_TYPE, "Content-Length: 10"])}{`);
    const [req] = await once(server, "request");
    socket.destroy();
    await new Promise((resolve) => req.once("close", resolve));
    await new Promise(setImmediate);
    expect(outcomes).to.deep.equal(["malformed-request"]);
  });

  it("settles when the client has gone before the reading began", async () => {
    const socket = await open();
    socket.write(head([JSON_TYPE, "Content-Length: 10"]));
    const [req] = await once(server, "request");
    socket.destroy();
    await new Promise((resolve) => req.once("close", resolve));
    const late = await readBody(req, { limitBytes: LIMIT_BYTES, expected: true }).catch((error) => error);
    expect(isProblem(late, "malformed-request")).to.equal(true);
  });

  async function open(): Promise<Socket> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  }

  async function send(text: string): Promise<string> {
    const socket = await open();
    socket.write(text.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    return answerOf(socket);
  }

  function post(headers: string[], body: string, path = "/expected"): Promise<string> {
    return send(head([...headers, `Content-Length: ${Buffer.byteLength(body)}`], path) + body);
  }
});

function head(headers: string[], path = "/expected"): string {
  return [`POST ${path} HTTP/1.1`, "Host: localhost", ...headers, "", ""].join("\r\n");
}

/** All that comes until the server closes. Rejects when the connection is reset before that. */
async function answerOf(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
