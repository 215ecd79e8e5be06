import { expect } from "chai";
import { findProcesses } from "../../src/control/topology.ts";
import { freePorts, startShopProcess, untilReady } from "../support/process.ts";
import { oneProcess, type ProcessShop, TEST_SETTINGS } from "../support/topology.ts";

describe("who serves what", () => {
  let shop: ProcessShop;

  before(async () => {
    shop = await oneProcess.start();
  });
  after(() => shop?.stop());

  async function topology(env: Readonly<Record<string, string>>): Promise<string> {
    const command = startShopProcess({ env: { ...TEST_SETTINGS, ...env }, args: ["topology"], cwd: shop.dataDir });
    expect((await command.exited).code, command.output()).to.equal(0);
    return command.output();
  }

  it("is told by the living, by pid and address, and plainly where there is nobody", async () => {
    const told = await topology({ DATA_DIR: shop.dataDir });
    const { pid } = shop.process("gateway");
    expect(told).to.match(new RegExp(`^  pid ${pid} +gateway +${shop.url}\\n +users +called directly\\n`, "m"));
    expect(told)
      .to.match(/^ +events +in its memory$/m)
      .and.to.include("As these settings have it");
    expect(await topology({ DATA_DIR: `${shop.dataDir}/elsewhere` })).to.match(/^Nobody serves from .*elsewhere now/);
    await shop.process("gateway").terminate();
    expect(await findProcesses(shop.dataDir)).to.deep.equal([]);
    await shop.restart("gateway");
  });

  it("is told by nobody who has no place for a socket, and serves all the same", async () => {
    const [port = 0, other = 0] = await freePorts(2);
    const elsewhere = `http://127.0.0.1:${other}`;
    const urls = { USERS_URL: elsewhere, PRODUCTS_URL: elsewhere, ORDERS_URL: elsewhere };
    const place = { SERVE: "gateway", PORT: `${port}`, DATA_DIR: "/proc/nowhere", REDIS_URL: "redis://127.0.0.1:1" };
    const env = { ...TEST_SETTINGS, ...urls, ...place, LOG_LEVEL: "debug", NODE_ENV: "production" };
    const gateway = startShopProcess({ env, cwd: shop.dataDir });
    try {
      await untilReady(`http://127.0.0.1:${port}`, [gateway], "/livez");
      expect(gateway.output().match(/no control socket in \/proc\/nowhere: [^"]+/g)).to.have.lengthOf(1);
    } finally {
      await gateway.kill();
    }
  });
});
