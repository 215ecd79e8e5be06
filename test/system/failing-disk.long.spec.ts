import { expect } from "chai";
import { createRandom } from "../bus/simulation/random.ts";
import { type Api, addProduct, createApi, register, type Session, signIn } from "../support/api.ts";
import { createDisk, type Disk } from "../support/disk/disk.ts";
import { skipWithoutShim } from "../support/disk/shim.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../support/topology.ts";
import { diskFaultsOf } from "../torture/faults.ts";
import { judge } from "../torture/judge.ts";
import { startLoad } from "./steady-load.ts";

const STOCK = 100_000;

for (const topology of [oneProcess, fourProcesses]) {
  describe(`a shop on a disk that fails: ${topology.name}`, () => {
    let disk: Disk;
    let shop: ProcessShop;
    let api: Api;
    let admin: Session;

    beforeEach(async function () {
      skipWithoutShim(this);
      disk = createDisk(true);
      shop = await topology.start(disk.env);
      api = createApi(shop.url);
      admin = await signIn(api);
    });
    afterEach(async () => {
      await api?.close();
      await shop?.stop();
      disk?.dispose();
    });

    it("loses no order when a sync fails, the power is cut, and there is no space; ends for the first, with one line", async () => {
      const opening = new Map([[await addProduct(api, admin, STOCK), STOCK]]);
      const load = startLoad(api, await register(api, "buyer"), [...opening.keys()]);
      const faults = diskFaultsOf(shop, disk, createRandom(1));
      await load.more(50);
      const before = shop.process("orders");
      expect(await faults.sync("orders", 60_000)).to.match(/^sync orders\.db/);
      expect(before.output().match(/is not trusted any more/g)).to.have.length(1);
      for (const fault of [faults.power, faults.full, faults.power]) {
        await load.more(50);
        await fault();
      }
      await load.more(50);
      await load.stop();
      await judge(shop, api, admin, load, opening);
    });
  });
}
