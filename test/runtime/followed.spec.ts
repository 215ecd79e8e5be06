import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { Followed } from "../../src/runtime/move/followed.ts";
import { HOME } from "../../src/runtime/move/placement.ts";
import { writePlacement } from "../../src/runtime/move/placement-file.ts";
import { Places } from "../../src/runtime/serving/places.ts";
import { until } from "../support/process.ts";

describe("callers of a module that is served elsewhere", () => {
  const home = ["http://home.example"];
  let places: Places;
  let followed: Followed;

  const out = (generation: number) => ({
    generation,
    owner: `standby ${generation}`,
    url: `http://${generation}.example`,
  });
  const there = async () => (await places.of("orders").there?.addresses())?.map((url) => new URL(url).host).join();

  beforeEach(async () => {
    places = new Places(["users", "orders"], "undici");
    followed = new Followed(places, ["orders"]);
    await followed.home("orders", home);
  });
  afterEach(() => places.close());

  it("go to where it was named last, whatever they hear late, and home again", async () => {
    expect(await there()).to.equal("home.example");
    await followed.heard("orders", out(2));
    await followed.heard("orders", out(1));
    expect(await there()).to.equal("2.example");
    await followed.heard("orders", { generation: 3, owner: HOME, url: null });
    expect(await there()).to.equal("home.example");
  });

  it("go to the newer of two places that they hear of at the same moment", async () => {
    await Promise.all([followed.heard("orders", out(4)), followed.heard("orders", out(5))]);
    expect(await there()).to.equal("5.example");
  });

  it("stay with what is written when home has another address, and leave alone what they could serve themselves", async () => {
    await followed.heard("orders", out(1));
    expect(await followed.home("orders", ["http://other.example"])).to.equal(true);
    expect(await there()).to.equal("1.example");
    expect(await followed.home("users", home)).to.equal(false);
    expect(places.of("users").there).to.equal(undefined);
  });

  it("look now and then, and go on where what is written cannot be read", async () => {
    const folder = mkdtempSync(join(tmpdir(), "quartet-followed-"));
    writeFileSync(join(folder, ".orders.db-placement"), "?");
    let looks = 0;
    const look = followed.look.bind(followed);
    followed.look = async (...asked) => {
      await look(...asked);
      looks += 1;
    };
    const stop = followed.keepLooking(folder, 5);
    try {
      await until("they have looked in vain", () => looks > 2);
      expect(await there()).to.equal("home.example");
      writePlacement(folder, "orders", out(7), undefined);
      await until("they have looked", async () => (await there()) === "7.example");
    } finally {
      stop();
      rmSync(folder, { recursive: true });
    }
  });
});
