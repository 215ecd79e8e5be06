import { execFile } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import type { Browser } from "playwright-core";
import { cloneRepository, type Scratch } from "../docs/scratch.ts";
import { missingPostgres } from "../support/postgres.ts";
import { until } from "../support/process.ts";
import type { ProcessShop } from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { readSteps, untilLive, type Visit, visit } from "./page.ts";

/** A module in one folder and one row: everything else follows. */
describe("modules that new:module has begun, in a copy of the repository,", function () {
  this.timeout(1_200_000);
  let scratch: Scratch;
  /** The short leg of whatever is run: the whole would be as long as that of the repository, and longer. */
  const env = { ...process.env, TESTS: "", PARITY: "" };
  const npm = (...args: readonly string[]) => promisify(execFile)("npm", [...args], { cwd: scratch.dir, env });
  const begin = (...args: readonly string[]) => npm("run", "--silent", "new:module", "--", ...args);

  before(async () => {
    scratch = await cloneRepository();
  });
  after(() => scratch?.remove());

  it("are begun only where all is committed", async () => {
    await appendFile(join(scratch.dir, "README.md"), "\n");
    const refused = await begin("labels").catch((error: unknown) => error);
    expect(refused)
      .to.have.property("stderr")
      .that.matches(/^something is not committed/);
    await scratch.git("checkout", "README.md");
    expect(await scratch.git("status", "--porcelain")).to.equal("");
  });

  it("pass the check and their own first tests", async () => {
    await begin("labels");
    await scratch.git("add", "--all");
    await scratch.git("commit", "--quiet", "--message", "One that keeps what it is told");
    await begin("shipments", "--hears", "orders", "--calls", "users");
    await npm("run", "--silent", "check");
    const { stdout } = await npm("exec", "mocha", "test/modules/{labels,shipments}/*.spec.ts");
    expect(stdout).to.match(/^7 passed, 0 failed$/m);
  });

  it("are the same in one process and in one each, and on PostgreSQL where there is one", async () => {
    const { stdout } = await npm("exec", "mocha", "test/parity/parity.spec.ts", "--", "--grep", "no faults");
    const ways = missingPostgres() === undefined ? 3 : 2;
    expect(stdout).to.match(new RegExp(`^${ways} passed, 0 failed$`, "m"));
  });

  describe("on the page", () => {
    let shop: ProcessShop;
    let browser: Browser;
    let visitor: Visit;

    before(async () => {
      const { fourProcesses } = await import(join(scratch.dir, "test/support/topology.ts"));
      shop = await fourProcesses.start({ NODE_ENV: "development", SEED: "on" });
      browser = await openChromium();
      visitor = await visit(browser, shop.url, { reducedMotion: "reduce" });
      await untilLive(visitor.page);
    });
    after(async () => {
      await browser?.close();
      await shop?.stop();
    });

    it("are drawn, each in its process and with what it calls and hears", async () => {
      const { page } = visitor;
      const diagram = page.locator("quartet-flow-diagram");
      const drawn = await diagram.locator(".place .name").allTextContents();
      expect(drawn.toSorted()).to.deep.equal([
        "API Gateway",
        "Client",
        "Event bus",
        "Labels",
        "Orders",
        "Products",
        "Shipments",
        "Users",
      ]);
      await diagram.locator('.frame[data-services="shipments"]').waitFor();
      for (const edge of ["gateway-labels", "shipments-users", "bus-shipments", "shipments-shipments.db"]) {
        await diagram.locator(`[data-edge="${edge}"]`).waitFor({ state: "attached" });
      }
      expect(await diagram.locator('[data-edge="bus-labels"]').count()).to.equal(0);
    });

    it("are told in the plan, and in the real steps of an order", async () => {
      const { page } = visitor;
      await page.locator("quartet-step-list", { hasText: "Event bus → Shipments" }).waitFor();
      const told = page.locator("quartet-step-list ol.real", { hasText: "Shipments → shipments.db" });
      // A run is shown with what is known of it after a few seconds: on a machine that is busy one more has to be run.
      await until(
        "an order is told to its end",
        async () => {
          if ((await told.count()) > 0) return true;
          await page
            .locator("[data-run=order]")
            .click()
            .catch(() => undefined);
          return false;
        },
        300_000,
      );
      const routes = (await readSteps(page)).map(({ route }) => route);
      expect(routes).to.include.members(["Event bus → Shipments", "Shipments → shipments.db"]);
    });

    it("are listed and tried", async () => {
      const { page } = visitor;
      const answer = page.locator("quartet-exchange").first();
      const tried = async (service: string, button: string, status: string) => {
        const group = page.getByRole("region", { name: service, exact: true });
        await group.getByRole("button", { name: `Test ${button}`, exact: true }).click();
        await answer
          .filter({ hasText: `${button}` })
          .locator(".figures", { hasText: status })
          .waitFor();
      };
      await tried("Label Service", "POST /labels", "201 Created");
      await tried("Label Service", "GET /labels", "200 OK");
      await tried("Shipment Service", "GET /shipments", "200 OK");
      await answer.getByText("order_id").first().waitFor();
      await page.getByText("More endpoints").click();
      const one = page
        .getByRole("region", { name: "Shipment Service, more" })
        .getByRole("button", { name: /^Test GET \/shipments\// });
      await one.click();
      await answer.locator(".figures", { hasText: "200 OK" }).waitFor();
    });
  });
});
