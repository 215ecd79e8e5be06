import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { UNNAMED_DEPLOYMENT } from "../../src/bus/bus.ts";
import { learnDeployment } from "../../src/runtime/deployment.ts";
import { until } from "../support/process.ts";

describe("the name of a deployment, learnt from a process of users", () => {
  let server: Server;
  let asked: number;
  let users: { readonly status: "running" | "degraded"; readonly deployment?: string };

  beforeEach(async () => {
    asked = 0;
    server = createServer((_request, response) => {
      asked += 1;
      const modules = [{ name: "users", status: users.status, detail: null }];
      const events = { published: {}, applied: {} };
      response.end(
        JSON.stringify({ modules, bus: { kind: "redis", status: "running" }, events, deployment: users.deployment }),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => server.close());

  const learn = () => learnDeployment(async () => [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);

  it("is not taken from one that does not serve users yet, and is asked for until one does", async () => {
    users = { status: "degraded" }; // it stands by
    const deployment = learn();
    await until("it was asked twice", () => {
      expect(deployment()).to.equal(undefined);
      return asked >= 2;
    });
    users = { status: "running", deployment: "ours" };
    await until("it is known", () => deployment() !== undefined);
    expect(deployment()).to.equal("ours");
  });

  it("is that of whoever tells none, where one of older code serves users", async () => {
    users = { status: "running" };
    const deployment = learn();
    await until("it is known", () => deployment() !== undefined);
    expect(deployment()).to.equal(UNNAMED_DEPLOYMENT);
  });
});
