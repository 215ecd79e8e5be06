import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  type Control,
  type ControlName,
  type Controls,
  createControls,
  LIST_CONTROLS,
} from "../../src/control/controls.ts";
import { type GatheredControls, gatherControls } from "../../src/control/gathered-controls.ts";
import { openControlSocket } from "../../src/control/server.ts";
import { until } from "../support/process.ts";

const LONG_MS = 60_000;

/** A control that keeps count. */
class Lamp implements Control {
  readonly name: ControlName;
  reason: string | undefined;
  failures = 0;
  lit = 0;
  undone = 0;
  isGone = false;

  constructor(name: ControlName = "slow-users") {
    this.name = name;
  }

  unavailable(): string | undefined {
    return this.reason;
  }

  isOver(): boolean {
    return this.isGone;
  }

  async act(): Promise<() => void> {
    this.lit += 1;
    await undefined;
    return () => {
      if (this.failures-- > 0) throw new Error("not now");
      this.undone += 1;
    };
  }
}

describe("controls of the page", () => {
  let dataDir: string;
  let controls: Controls[];
  let closing: (() => Promise<void>)[];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), "quartet-controls-"));
    controls = [];
    closing = [];
  });
  afterEach(async () => {
    await Promise.all([...closing.map((close) => close()), ...controls.map((each) => each.undoAll())]);
    rmSync(dataDir, { recursive: true });
  });

  /** What a process with these listens for. */
  async function serve(lamps: readonly Lamp[], undoAfterMs = LONG_MS): Promise<Controls> {
    const own = createControls(
      () => lamps,
      () => {},
      undoAfterMs,
    );
    const { close } = await openControlSocket(dataDir, own.operations, () => {});
    controls.push(own);
    closing.push(close);
    return own;
  }

  const gathered = (): GatheredControls => gatherControls(dataDir, LONG_MS);
  const stateOf = async (name: ControlName) => (await gathered().list()).find((each) => each.name === name)?.state;

  it("do and undo once, whoever asks for it, and say how long it lasts", async () => {
    const lamp = new Lamp();
    await serve([lamp]);
    const all = gathered();
    const [first] = await Promise.all([all.use("slow-users", "do"), all.use("slow-users", "do")]);
    expect(first).to.include({ name: "slow-users", state: "active" });
    expect(first.undo_in_ms).to.be.within(1, LONG_MS);
    expect(lamp.lit).to.equal(1);
    const undone = await Promise.all([all.use("slow-users", "undo"), all.use("slow-users", "undo")]);
    expect(undone).to.deep.equal([1, 2].map(() => ({ name: "slow-users", state: "ready" })));
    expect(lamp).to.include({ lit: 1, undone: 1 });
  });

  it("undo themselves when their time has come, also when that fails at first", async () => {
    const lamp = new Lamp();
    lamp.failures = 1;
    await serve([lamp], 10);
    await gathered().use("slow-users", "do");
    await until("it has undone itself", () => lamp.undone === 1);
    await until("it is ready", async () => (await stateOf("slow-users")) === "ready");
  });

  it("come and go with what a process serves, and are undone all the same", async () => {
    const lamp = new Lamp();
    const lamps = [lamp];
    await serve(lamps);
    await gathered().use("slow-users", "do");
    lamps.pop();
    expect(await stateOf("slow-users")).to.equal("active");
    await gathered()
      .use("slow-users", "undo")
      .catch(() => {});
    expect(lamp.undone).to.equal(1);
    expect(await stateOf("slow-users")).to.equal("unavailable");
  });

  it("are over, and can be done anew, when what they were done to has gone", async () => {
    const lamp = new Lamp();
    await serve([lamp]);
    await gathered().use("slow-users", "do");
    lamp.isGone = true;
    expect(await stateOf("slow-users")).to.equal("ready");
    lamp.isGone = false;
    await until("what is left of it is undone", () => lamp.undone === 1);
    expect(await gathered().use("slow-users", "do")).to.include({ state: "active" });
    expect(lamp.lit).to.equal(2);
  });

  it("are undone when their process ends", async () => {
    const lamp = new Lamp();
    const own = await serve([lamp]);
    await gathered().use("slow-users", "do");
    await own.undoAll();
    expect(lamp.undone).to.equal(1);
  });

  it("say why they are not to be had, and do nothing then", async () => {
    const lamp = new Lamp();
    lamp.reason = "It is dark.";
    await serve([lamp]);
    expect(await gathered().list()).to.deep.include({
      name: "slow-users",
      state: "unavailable",
      reason: "It is dark.",
    });
    const fault = await gathered()
      .use("slow-users", "do")
      .catch((error: unknown) => error);
    expect(fault).to.include({ code: "dependency-unavailable", message: "It is dark." });
    expect(lamp.lit).to.equal(0);
  });

  it("are told in one order whoever has them, with a reason for each that nobody has", async () => {
    const names = ["move-orders", "kill-products", "hang-redis", "slow-users", "fill-orders"];
    const nobody = await gathered().list();
    expect(nobody.map(({ name }) => name)).to.deep.equal(names);
    for (const { state, reason } of nobody) {
      expect(state).to.equal("unavailable");
      expect(reason).to.match(/^[A-Z].*\.$/);
    }
    await serve([new Lamp()]);
    const somebody = await gathered().list();
    expect(somebody).to.deep.equal(nobody.with(3, { name: "slow-users", state: "ready" }));
  });

  it("are told without those of a process that hangs", async () => {
    const { close } = await openControlSocket(dataDir, { [LIST_CONTROLS]: () => new Promise(() => {}) }, () => {});
    closing.push(close);
    const nobody = (await gatherControls(dataDir).list()).map(({ state }) => state);
    expect(new Set(nobody)).to.deep.equal(new Set(["unavailable"]));
  });

  it("of several processes are done in each that has them, and are there as long as one has", async () => {
    const lamps = [new Lamp(), new Lamp()] as const;
    for (const lamp of lamps) await serve([lamp]);
    lamps[0].reason = "It is dark.";
    expect(await stateOf("slow-users")).to.equal("ready");
    expect(await gathered().use("slow-users", "do")).to.include({ state: "active" });
    expect(lamps.map(({ lit }) => lit)).to.deep.equal([0, 1]);
    await gathered().use("slow-users", "undo");
    lamps[0].reason = undefined;
    await gathered().use("slow-users", "do");
    expect(lamps.map(({ lit }) => lit)).to.deep.equal([1, 2]);
    await closing.pop()?.();
    expect(await stateOf("slow-users")).to.equal("active");
  });
});
