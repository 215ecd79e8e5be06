import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { z } from "zod";
import { Problem } from "../../src/base/problem.ts";
import { askProcess } from "../../src/control/client.ts";
import { taking } from "../../src/control/operation.ts";
import { type ControlSocket, openControlSocket } from "../../src/control/server.ts";
import { connectTo, socketsIn } from "../../src/control/sockets.ts";
import { findProcesses } from "../../src/control/topology.ts";

const NOBODY = 65_534;
const WITHIN_MS = 30_000;

const operations = {
  double: taking(z.strictObject({ number: z.int() }), ({ number }) => ({ number: 2 * number })),
  nothing: async () => undefined,
  refuse: async () => {
    throw new Problem("storage-full", "No space.");
  },
  break: async () => {
    throw new Error("secret");
  },
  topology: async () => ({ pid: process.pid, services: {}, elsewhere: {}, bus: null }),
};

describe("the control socket", () => {
  let dataDir: string;
  let opened: ControlSocket[];
  let unexpected: unknown[];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "quartet-control-"));
    opened = [];
    unexpected = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((socket) => socket.close()));
    rmSync(dataDir, { recursive: true });
  });

  async function open(own = operations, folder = dataDir): Promise<string> {
    const socket = await openControlSocket(folder, own, (error) => unexpected.push(error));
    opened.push(socket);
    return socket.path;
  }

  const ask = (path: string, operation: string, input?: unknown) =>
    askProcess(path, { operation, input, withinMs: WITHIN_MS });

  /** All that is answered to these bytes, after which nothing more comes. */
  async function say(path: string, bytes: string): Promise<unknown[]> {
    const connection = createConnection({ path }).on("error", () => {});
    let told = "";
    connection.setEncoding("utf8").on("data", (piece) => {
      told += piece;
    });
    connection.end(bytes);
    await closed(connection);
    return told.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
  }

  const codeOf = (promise: Promise<unknown>) => promise.then(String, (error) => `${error.code}: ${error.message}`);

  it("answers operations, one after the other, each with its output or with the problem by name", async () => {
    const path = await open();
    expect(await ask(path, "double", { number: 21 })).to.deep.equal({ number: 42 });
    expect(await ask(path, "nothing")).to.equal(null);
    expect(await codeOf(ask(path, "refuse"))).to.equal("storage-full: No space.");
    const line = (number: number) => `${JSON.stringify({ operation: "double", input: { number } })}\n`;
    const answers = await say(path, [1, 2, 3].map(line).join(""));
    expect(answers).to.deep.equal([2, 4, 6].map((number) => ({ output: { number } })));
  });

  it("says what is wrong with what it cannot do, and of its own faults nothing more than that", async () => {
    const path = await open();
    expect(await codeOf(ask(path, "double", { number: "x" }))).to.match(/^validation-failed: .*number/s);
    expect(await codeOf(ask(path, "triple"))).to.match(/^not-found: .*"triple"/);
    expect(await codeOf(ask(path, "constructor"))).to.match(/^not-found/);
    expect(await codeOf(ask(path, "break"))).to.equal("internal: Something went wrong here.");
    expect(unexpected).to.have.lengthOf(1);
  });

  const garbage = {
    "no JSON": ["GET / HTTP/1.1\r\n\r\n", "invalid-json"],
    "JSON of another form": ['[1,2]\n{"operation":1}\n{"operation":"double","more":1}\n', "invalid-json"],
    "an empty line": ["\n", "invalid-json"],
    "bytes that are no text": ["\u0000\ufffd\u0001\n", "invalid-json"],
    "half a line": ['{"operation":"double"', "invalid-json"],
    "a line that is too long": [`${"x".repeat(70_000)}`, "payload-too-large"],
  } as const;
  for (const [what, [bytes, code]] of Object.entries(garbage)) {
    it(`answers ${what} with a problem, closes, and goes on`, async () => {
      const path = await open();
      const answers = await say(path, bytes);
      expect(answers).to.not.be.empty;
      for (const each of answers) expect(each).to.have.nested.property("problem.code", code);
      expect(await ask(path, "double", { number: 1 })).to.deep.equal({ number: 2 });
      expect(unexpected).to.deep.equal([]);
    });
  }

  it("breaks off a megabyte without an end, and goes on", async () => {
    const path = await open();
    const connection = createConnection({ path }).on("error", () => {});
    connection.write("x".repeat(1_000_000)); // and never ends it
    await closed(connection);
    expect(await ask(path, "double", { number: 1 })).to.deep.equal({ number: 2 });
  });

  it("hears some of a hundred connections, closes the others, and all when it closes", async () => {
    const path = await open();
    const connections = Array.from({ length: 100 }, () => createConnection({ path }).on("error", () => {}));
    const isClosed = ({ closed }: Socket) => closed;
    await Promise.all(connections.map((each) => Promise.race([closed(each), answered(each)])));
    expect(connections.filter(isClosed)).to.have.length.within(1, 50);
    const closing = Promise.all(connections.filter((each) => !isClosed(each)).map(closed));
    await opened.pop()?.close();
    await closing;
    expect(await socketsIn(dataDir)).to.deep.equal([]);
  });

  function answered(connection: Socket): Promise<void> {
    connection.write('{"operation":"nothing"}\n');
    return new Promise((resolve) => connection.once("data", () => resolve()));
  }

  const closed = (connection: Socket) => new Promise((resolve) => connection.once("close", resolve));

  it("tells of a process that ends before it answers, and of one that does not in time", async () => {
    const asked = Promise.withResolvers<void>();
    const path = await open({ ...operations, nothing: () => new Promise(() => asked.resolve()) });
    expect(await codeOf(askProcess(path, { operation: "nothing", withinMs: 20 }))).to.match(/^upstream-timeout/);
    await asked.promise;
    const waiting = codeOf(ask(path, "nothing"));
    await ask(path, "double", { number: 1 });
    await opened.pop()?.close();
    expect(await waiting).to.match(/^dependency-unavailable/);
    expect(await codeOf(ask(path, "double", { number: 1 }))).to.match(/^dependency-unavailable/);
  });

  it("is found by its folder, and what nobody listens on any more is passed over, then taken away", async () => {
    const left = join(dataDir, ".control", "1-left.sock");
    const path = await open();
    abandon(left);
    expect(await socketsIn(dataDir)).to.have.members([path, left]);
    expect(await findProcesses(dataDir)).to.deep.equal([
      { socket: path, topology: { pid: process.pid, services: {}, elsewhere: {}, bus: null } },
    ]);
    const next = await open();
    expect(await socketsIn(dataDir)).to.have.members([path, next]);
    expect(await findProcesses(join(dataDir, "nowhere"))).to.deep.equal([]);
  });

  it("serves from a folder that is deeper than a socket's path may be long", async function () {
    if (process.platform !== "linux") this.skip();
    const deep = join(dataDir, ...Array.from({ length: 8 }, () => "a-folder-in-a-folder"), "data");
    const path = await open(operations, deep);
    expect(Buffer.byteLength(path)).to.be.above(150);
    expect(await ask(path, "double", { number: 1 })).to.deep.equal({ number: 2 });
    abandon(join(deep, ".control", "1-left.sock"));
    await open(operations, deep);
    expect(await findProcesses(deep)).to.have.lengthOf(2);
  });

  it("is its owner's alone: whoever else may get at the folder cannot speak to it", async function () {
    if (process.getuid?.() !== 0) this.skip(); // nobody else can be become
    const path = await open();
    chmodSync(dataDir, 0o777);
    expect(statSync(join(dataDir, ".control")).mode & 0o777).to.equal(0o700);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(await connectAs(NOBODY, path)).to.equal("EACCES");
    chmodSync(join(dataDir, ".control"), 0o777);
    expect(await connectAs(NOBODY, path)).to.equal("EACCES");
    expect(await connectAs(0, path)).to.equal("connected");
    await open();
    expect(statSync(join(dataDir, ".control")).mode & 0o777).to.equal(0o700);
  });

  it("is refused where the folder cannot be made", async () => {
    writeFileSync(join(dataDir, ".control"), "a file");
    expect(await codeOf(open())).to.match(/EEXIST|ENOTDIR/);
    expect(readdirSync(dataDir)).to.deep.equal([".control"]);
  });
});

/** Leaves a socket as a process does that was killed. */
function abandon(path: string): void {
  const program = `process.chdir(${JSON.stringify(join(path, ".."))}); require("net").createServer().listen("1-left.sock", () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", program]);
}

/** What comes of it when somebody with the rights of this user connects. */
async function connectAs(uid: number, path: string): Promise<string> {
  process.seteuid?.(uid);
  const connection = connectTo(path); // at once
  process.seteuid?.(0);
  return connection.then(
    (connected) => {
      connected.destroy();
      return "connected";
    },
    (error) => error.code,
  );
}
