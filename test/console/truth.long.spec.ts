import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { extent } from "../support/extent.ts";
import { until } from "../support/process.ts";
import {
  fourProcesses,
  oneProcess,
  oneProcessWithRedis,
  otherSplits,
  type ProcessTopology,
} from "../support/topology.ts";
import { openChromium } from "./chromium.ts";
import { orderToTheEnd, textOf, untilLive, visit } from "./page.ts";

const mixed = otherSplits.find(({ name }) => name.includes("gateway+users") && name.includes("products+orders"));
if (mixed === undefined) throw new Error("there is no such split any more");

/** What is so in a topology: who shares a process, which calls are direct, how many ports are open. */
interface Expected {
  readonly labels: readonly RegExp[];
  readonly direct: readonly string[];
  readonly http: readonly string[];
  readonly ports: number;
}

const CALLS = ["gateway-orders", "orders-users", "orders-products"];
const together: Expected = { labels: [/^one process, pid \d+$/], direct: CALLS, http: [], ports: 1 };
const apart: Expected = {
  labels: [/^gateway, pid \d+$/, /^users, pid \d+$/, /^orders, pid \d+$/, /^products, pid \d+$/],
  direct: [],
  http: CALLS,
  ports: 4,
};
const inTwo: Expected = {
  labels: [/^gateway, users, pid \d+$/, /^orders, products, pid \d+$/],
  direct: ["gateway-users", "orders-products"],
  http: ["gateway-orders", "orders-users"],
  ports: 4,
};

const EXPECTED: readonly (readonly [ProcessTopology, Expected])[] = [
  [oneProcess, together],
  [fourProcesses, apart],
  [oneProcessWithRedis, together],
  [mixed, inTwo],
];

describe("console: what is shown is so", () => {
  let browser: Browser;

  before(async () => {
    browser = await openChromium();
  });

  after(() => browser?.close());

  const shown = extent("the page in a mixed split, and in one process with Redis", EXPECTED, EXPECTED.slice(0, 2));
  for (const [topology, expected] of shown) {
    it(`in ${topology.name}: ports that are open, names of services, direct calls as such`, async () => {
      const shop = await topology.start({ NODE_ENV: "development", SEED: "on" });
      const { page, close } = await visit(browser, shop.url, { width: 1440, reducedMotion: "reduce" });
      try {
        await untilLive(page);
        await expectLabels(page, expected.labels);
        await expectKinds(page, expected, "as planned");
        await orderToTheEnd(page);
        await page.locator("quartet-step-list ol.real").waitFor();
        await expectKinds(page, expected, "as it ran");
        expect(await portsOf(page), "ports").to.have.length(expected.ports);
      } finally {
        await close();
        await shop.stop();
      }
    });
  }

  it("in one process nothing of the page names a port of a service", async () => {
    const shop = await oneProcess.start({
      NODE_ENV: "development",
      SEED: "on",
      USERS_PORT: "8001",
      PRODUCTS_PORT: "8002",
      ORDERS_PORT: "8003",
    });
    const { page, close } = await visit(browser, shop.url);
    try {
      await untilLive(page);
      await page.locator("quartet-docker-cards pre", { hasText: "gateway:" }).first().waitFor();
      expect(await textOf(page, "quartet-console")).not.to.match(/:800[123]/);
    } finally {
      await close();
      await shop.stop();
    }
  });

  it("frames of containers have the names of their services, not of their hosts", async () => {
    const shop = await fourProcesses.start({ NODE_ENV: "development", SEED: "on" });
    const { page, close } = await visit(browser, shop.url);
    try {
      await untilLive(page);
      await page.locator("quartet-flow-diagram .frame-label").nth(3).waitFor();
      const isNamed = () => page.locator("quartet-flow-diagram .frame-label", { hasText: /^orders$/ }).isVisible();
      let shown = "";
      // The next status of the shop takes the names away again.
      await until("frames have the names of services, before and after all is read", async () => {
        await pretendContainers(page);
        if (!(await isNamed())) return false;
        shown = await textOf(page, "quartet-console");
        return isNamed();
      });
      expect(shown).not.to.match(/3f2a9c1d7b44|a81c5577e0d2|0c5f1be9a3d1|9ab1c07d11ef/);
    } finally {
      await close();
      await shop.stop();
    }
  });
});

/** As if a status had told of processes in containers. */
function pretendContainers(page: Page): Promise<void> {
  return page.evaluate(() => {
    const { app } = document.querySelector("quartet-console") as unknown as {
      app: { processes: { set(value: Record<string, string>): void } };
    };
    app.processes.set({
      gateway: "3f2a9c1d7b44:7",
      users: "a81c5577e0d2:7",
      products: "0c5f1be9a3d1:7",
      orders: "9ab1c07d11ef:7",
    });
  });
}

async function expectLabels(page: Page, expected: readonly RegExp[]): Promise<void> {
  const labels = page.locator("quartet-flow-diagram .frame-label");
  await labels.nth(expected.length - 1).waitFor();
  // Until each process has answered the first roll call, what it serves stands for itself.
  await labels
    .filter({ hasNotText: /pid \d+$/ })
    .first()
    .waitFor({ state: "detached" });
  const told = await labels.allTextContents();
  expect(told).to.have.length(expected.length);
  for (const [index, pattern] of expected.entries()) expect(told[index]).to.match(pattern);
}

async function expectKinds(page: Page, { direct, http }: Expected, when: string): Promise<void> {
  for (const edge of direct) expect(await kindOf(page, edge), `${edge} ${when}`).to.equal("direct");
  for (const edge of http) expect(await kindOf(page, edge), `${edge} ${when}`).to.equal("http");
  const listed = await page.locator("quartet-step-list li.direct").count();
  expect(listed > 0, `direct calls in the list, ${when}`).to.equal(direct.length > 0);
}

/** How an arrow is drawn: its line and its end say the same. */
async function kindOf(page: Page, edge: string): Promise<string> {
  const path = page.locator(`quartet-flow-diagram [data-edge="${edge}"]`);
  const kind = (await path.getAttribute("class"))?.split(" ")[1] ?? "";
  expect(await path.getAttribute("marker-end")).to.equal(`url(#${kind}-end)`);
  return kind;
}

/** The ports that the diagram and the lights name; both the same. */
async function portsOf(page: Page): Promise<string[]> {
  const drawn = await page.locator("quartet-flow-diagram .place .detail", { hasText: /^:\d+/ }).allTextContents();
  const lit = await page.locator("quartet-status-lights .name .mono").allTextContents();
  expect(drawn.toSorted()).to.deep.equal(lit.toSorted());
  return lit;
}
