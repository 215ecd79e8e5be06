import { expect } from "chai";
import { type ComposeProject, composeProject, docker } from "../support/compose-project.ts";
import { whyNoContainers } from "../support/containers.ts";
import { inWholeRun } from "../support/extent.ts";
import { until } from "../support/process.ts";
import { SERVICES } from "../support/topology.ts";

const CONTAINERS = [...SERVICES, "redis"];

inWholeRun("Compose: one image, nothing made anew, and what is killed is started again", () => {
  describe("the shop in containers", function () {
    this.timeout(300_000);
    let project: ComposeProject;

    before(async function () {
      if ((await whyNoContainers()) !== undefined) return this.skip();
      project = await composeProject(["docker-compose.yml"]);
      await project.compose("up", "--build", "--wait");
    });
    after(() => project?.remove());

    /** Healthy is each by itself: how the others are the gateway sees a moment later. */
    function untilOk(path: string): Promise<void> {
      const statusNow = async () => (await fetch(`${project.url}${path}`).catch(() => undefined))?.status;
      return until(`${path} is answered`, async () => (await statusNow()) === 200);
    }

    async function containersNow(): Promise<string[]> {
      return (await project.compose("ps", "--quiet")).split("\n").sort();
    }

    it("is one image, whose services all answer once it is up", async () => {
      await untilOk("/readyz");
      const made = await docker(
        "image",
        "ls",
        "--all",
        "--quiet",
        "--filter",
        `label=com.docker.compose.project=${project.name}`,
      );
      expect(made.split("\n")).to.have.length(1);
    });

    it("stays as it is when it is built and started again", async () => {
      const before = await containersNow();
      await project.compose("up", "--build", "--wait");
      expect(await containersNow()).to.deep.equal(before);
      await project.compose("up", "--wait");
      expect(await containersNow()).to.deep.equal(before);
    });

    it("has its code built and compiled in the image: a start strips no types, and compiles nothing of ours", async () => {
      const told = ["exec", "-T", "-e", "NODE_DEBUG_NATIVE=COMPILE_CACHE", "orders"];
      const said = (await project.compose(...told, "sh", "-c", "node bin/main.js topology 2>&1")).split("\n");
      const ours = said.filter((line) => /file:\/\/\/app\/(bin|dist|src)\//.test(line));
      const accepted = ours.filter((line) => line.endsWith("was accepted, keeping the in-memory entry"));
      expect(accepted.filter((line) => line.includes("/dist/server/"))).to.have.length.above(10);
      expect(ours.filter((line) => /app\/src|was not initialized|rejected/.test(line))).to.deep.equal([]);
    });

    for (const service of CONTAINERS) {
      it(`starts ${service} again when it is killed`, async () => {
        const before = await project.restarts(service);
        await project.killProgram(service);
        await until(`${service} is started again`, async () => (await project.restarts(service)) > before);
        await untilOk("/readyz");
      });
    }

    it("does not hold the gateway, nor orders, for unhealthy when it is a module that is away", async () => {
      await project.compose("up", "--wait"); // who was killed a moment ago is not yet found healthy
      await project.compose("stop", "products");
      await until("it is missed", async () => (await fetch(`${project.url}/readyz`)).status === 503);
      for (const name of ["gateway", "orders"]) await project.checkHealth(name);
      await project.compose("up", "--wait");
      await untilOk("/products?limit=1");
    });
  });
});
