import { createServer } from "node:http";
import { expect } from "chai";
import { readConfig } from "../../src/runtime/config.ts";
import { Doors } from "../../src/runtime/serving/doors.ts";
import { freePorts } from "../support/process.ts";

describe("the doors of a process", () => {
  let port: number;
  let doors: Doors;

  beforeEach(async () => {
    [port = 0] = await freePorts(1);
    doors = new Doors(readConfig(["--host=127.0.0.1", `--users-port=${port}`]));
  });
  afterEach(() => doors.stop({ idleMs: 0, timeoutMs: 0 }));

  it("opens one door for a module, also where two ask for it at once", async () => {
    const [first, second] = await Promise.all([doors.listen("users"), doors.listen("users")]);
    expect(first).to.equal(second);
    expect(first.url).to.equal(`http://127.0.0.1:${port}`);
  });

  it("does not open where somebody else listens, and does once he has left", async () => {
    const other = createServer();
    await new Promise<void>((listening) => other.listen(port, "127.0.0.1", listening));
    const error = await doors.listen("users").catch((caught: unknown) => caught);
    expect(error).to.include({ code: "EADDRINUSE" });
    await new Promise((closed) => other.close(closed));
    expect((await doors.listen("users")).url).to.equal(`http://127.0.0.1:${port}`);
  });
});
