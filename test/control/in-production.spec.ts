import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { dirname } from "node:path";
import { expect } from "chai";
import { askProcess } from "../../src/control/client.ts";
import { controlNames, LIST_CONTROLS, USE_CONTROL } from "../../src/control/controls.ts";
import { socketsIn } from "../../src/control/sockets.ts";
import { TOPOLOGY } from "../../src/control/topology.ts";
import { until } from "../support/process.ts";
import { oneProcess, type ProcessShop } from "../support/topology.ts";

const NOBODY = 65_534;
const WITHIN_MS = 30_000;

/** What comes of what a stranger tries: connects to a socket, and looks for those that there are. */
const STRANGER = `
  const [, socket, folder] = process.argv;
  process.setgroups([]);
  process.setgid(${NOBODY});
  process.setuid(${NOBODY});
  const attempt = (run) => { try { run(); return "allowed"; } catch (error) { return error.code; } };
  const list = attempt(() => require("fs").readdirSync(folder));
  const tell = (connect) => console.log(JSON.stringify({ user: process.getuid(), connect, list }));
  require("net").connect(socket).on("connect", () => { tell("allowed"); process.exit(); }).on("error", ({ code }) => tell(code));
`;

describe("a shop in production", () => {
  let shop: ProcessShop;
  let socket: string;

  before(async () => {
    shop = await oneProcess.start({ NODE_ENV: "production" });
    await until("it can be spoken to", async () => {
      [socket = ""] = await socketsIn(shop.dataDir);
      return socket !== "";
    });
  });
  after(() => shop?.stop());

  const ask = (operation: string, input = {}) =>
    askProcess(socket, { operation, input, withinMs: WITHIN_MS }).catch(({ code }) => code);

  it("has a control socket, to which whoever owns the files can speak, and no other user of the machine", async function () {
    expect(await ask(TOPOLOGY)).to.include({ bus: "memory" });
    if (process.getuid?.() !== 0) this.skip(); // nobody else can be become
    chmodSync(shop.dataDir, 0o755); // it is the socket that is looked at, and its folder
    const folder = dirname(socket);
    const told = execFileSync(process.execPath, ["-e", STRANGER, socket, folder], { encoding: "utf8" });
    expect(JSON.parse(told)).to.deep.equal({ user: NOBODY, connect: "EACCES", list: "EACCES" });
  });

  it("has no controls that harm it, neither by the socket nor by HTTP", async () => {
    expect(await ask(LIST_CONTROLS)).to.equal("not-found");
    for (const name of controlNames) {
      for (const action of ["do", "undo"]) {
        expect(await ask(USE_CONTROL, { name, action }), `${action} ${name}`).to.equal("not-found");
        const body = JSON.stringify({ action });
        const headers = { "content-type": "application/json" };
        const answer = await fetch(`${shop.url}/console/controls/${name}`, { method: "POST", headers, body });
        expect(answer.status, `${action} ${name}`).to.equal(404);
      }
    }
    expect((await fetch(`${shop.url}/console/controls`)).status).to.equal(404);
  });
});
