import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";
import { whyNoContainers } from "../support/containers.ts";
import { inWholeRun } from "../support/extent.ts";
import { freePorts, until } from "../support/process.ts";
import { SERVICES } from "../support/topology.ts";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CONTAINERS = [...SERVICES, "redis"];

inWholeRun("Compose: one image, nothing made anew, and what is killed is started again", () => {
  describe("the shop in containers", function () {
    this.timeout(300_000);
    let env: NodeJS.ProcessEnv;
    let project: string;
    let url: string;

    before(async function () {
      if ((await whyNoContainers()) !== undefined) return this.skip();
      const [port = 0] = await freePorts(1);
      project = `quartet-compose-${port}`;
      url = `http://127.0.0.1:${port}`;
      env = { ...process.env, COMPOSE_PROJECT_NAME: project, IMAGE: project, PORT: `${port}`, BCRYPT_COST: "4" };
      await compose("up", "--build", "--wait");
    });
    after(async () => {
      if (env === undefined) return;
      await compose("down", "--volumes", "--timeout", "3");
      await docker("image", "rm", "--force", project);
    });

    async function compose(...args: string[]): Promise<string> {
      return (await run("docker", ["compose", ...args], { cwd: ROOT, env })).stdout.trim();
    }

    async function containersNow(): Promise<string[]> {
      return (await compose("ps", "--quiet")).split("\n").sort();
    }

    function container(service: string): Promise<string> {
      return compose("ps", "--all", "--quiet", service);
    }

    /** What the engine counts: it starts a container again by its policy, without Compose. */
    async function restarts(service: string): Promise<number> {
      return Number(await docker("inspect", "--format", "{{.RestartCount}}", await container(service)));
    }

    async function health(service: string): Promise<string> {
      return docker("inspect", "--format", "{{.State.Health.Status}}", await container(service));
    }

    it("is one image, whose services all answer once it is up", async () => {
      expect((await fetch(`${url}/readyz`)).status).to.equal(200);
      const made = await docker(
        "image",
        "ls",
        "--all",
        "--quiet",
        "--filter",
        `label=com.docker.compose.project=${project}`,
      );
      expect(made.split("\n")).to.have.length(1);
    });

    it("stays as it is when it is built and started again", async () => {
      const before = await containersNow();
      await compose("up", "--build", "--wait");
      expect(await containersNow()).to.deep.equal(before);
      await compose("up", "--wait");
      expect(await containersNow()).to.deep.equal(before);
    });

    for (const service of CONTAINERS) {
      it(`starts ${service} again when it is killed`, async () => {
        const before = await restarts(service);
        await killProgram(await container(service));
        await until(`${service} is started again`, async () => (await restarts(service)) > before);
        await until(
          "the shop is ready",
          async () => (await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200,
        );
      });
    }

    it("does not hold the gateway, nor orders, for unhealthy when it is a module that is away", async () => {
      await compose("up", "--wait"); // who was killed a moment ago is not yet found healthy
      await compose("stop", "products");
      await until("it is missed", async () => (await fetch(`${url}/readyz`)).status === 503);
      // Longer than the engine takes to find a container unhealthy: three times three seconds.
      const seen = new Set<string>();
      const endMs = performance.now() + 13_000;
      while (performance.now() < endMs) for (const name of ["gateway", "orders"]) seen.add(await health(name));
      expect([...seen]).to.deep.equal(["healthy"]);
      await compose("up", "--wait");
      expect((await fetch(`${url}/products?limit=1`)).status).to.equal(200);
    });
  });
});

async function docker(...args: string[]): Promise<string> {
  return (await run("docker", args)).stdout.trim();
}

/** Kills the program below the container's init, as the system does when memory is short: `docker kill` counts as an order. */
async function killProgram(id: string): Promise<void> {
  const children = "kill -9 $(cat /proc/1/task/1/children)";
  await run("docker", ["exec", id, "sh", "-c", children]).catch(() => undefined); // the shell goes with it
}
