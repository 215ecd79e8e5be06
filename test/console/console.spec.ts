import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { serviceNames } from "../../console/src/model/places.ts";
import { planOf } from "../../console/src/model/plan.ts";
import { extent, inWholeRun } from "../support/extent.ts";
import { until } from "../support/process.ts";
import { fourProcesses, oneProcess, type ProcessShop } from "../support/topology.ts";
import { buildConsole } from "./built.ts";
import { openChromium } from "./chromium.ts";
import { killProductsAndOrder, moveOrders } from "./heals.ts";
import { linkState, readSteps, runAndWatch, textOf, untilLive, type Visit, visit } from "./page.ts";

/** The shop as a person starts it to look around. */
const DEVELOPMENT = { NODE_ENV: "development", SEED: "on" };

let browser: Browser;

before(async () => {
  await buildConsole();
  browser = await openChromium();
});

after(() => browser?.close());

for (const topology of extent("the page over four processes", [oneProcess, fourProcesses], [oneProcess])) {
  describe(`console, ${topology.name}`, () => {
    let shop: ProcessShop;
    let own: Visit;
    let page: Page;
    /** Tokens that answers held. */
    const tokens: string[] = [];

    before(async () => {
      shop = await topology.start(DEVELOPMENT);
      own = await visit(browser, shop.url);
      page = own.page;
      await untilLive(page);
    });

    after(async () => {
      await own?.close();
      await shop?.stop();
    });

    it("draws a frame around what shares a process", async () => {
      const frames = page.locator("quartet-flow-diagram .frame");
      const expected = topology === oneProcess ? [serviceNames.join(" ")] : serviceNames;
      await frames.nth(expected.length - 1).waitFor();
      const services = await frames.evaluateAll((all) => all.map((frame) => frame.getAttribute("data-services")));
      expect(services).to.deep.equal(expected);
      const told =
        topology === oneProcess
          ? /Runs as one process, pid \d+ .*Bus in memory/
          : new RegExp(`Runs as ${serviceNames.length} processes .*Bus Redis`);
      const header = async () => oneLine(await page.locator("quartet-page-header dl").innerText());
      await until("the header tells", async () => told.test(await header()));
      expect(await header()).to.match(told);
    });

    it("shows the plan before anything has run", async () => {
      expect(await page.locator("quartet-step-list ol.plan li").count()).to.equal(planOf("order", () => false).length);
      await page.getByRole("tab", { name: "Order", selected: true }).waitFor();
      await page.getByText("The plan").waitFor();
    });

    it("lights the steps of a registration in order, each a real span", async () => {
      const { lit, steps } = await runAndWatch(page, "Registration", "registration");
      expect(lit).to.deep.equal(steps.map(({ number }) => Number(number)));
      expectInOrder(
        steps.map(({ route }) => route),
        ["Client → API Gateway", "API Gateway → Users", "Users → users.db", "API Gateway → Client"],
      );
      await expectRealSpans(shop.url, steps);
    });

    it("lights the steps of an order in order, the stock change after the answer", async () => {
      const { lit, steps } = await runAndWatch(page, "Order", "order");
      expect(lit).to.deep.equal(steps.map(({ number }) => Number(number)));
      expect(steps.find(({ route }) => route === "API Gateway → Client")?.what).to.equal("201 Created");
      const later = steps.filter(({ afterAnswer }) => afterAnswer);
      expectInOrder(
        later.map(({ route, what }) => `${route}: ${what}`),
        [
          "Event bus → Products: order.created",
          "Products → Event bus: stock.reserved",
          "Event bus → Orders: stock.reserved",
        ],
      );
      expect(later.find(({ route }) => route === "Products → products.db")?.what).to.match(/UPDATE products/);
      await expectRealSpans(shop.url, steps);
      await expectSlowed(page, steps.length);
    });

    it("shows the rejection of an order too many", async () => {
      const { steps } = await runAndWatch(page, "Order", "oversold");
      expect(steps.filter(({ afterAnswer }) => afterAnswer).map(({ what }) => what)).to.include("stock.rejected");
      await page.getByText("this one was rejected, and nothing was oversold").waitFor();
      await page.locator("quartet-recent-requests .chip", { hasText: "201 rejected" }).first().waitFor();
    });

    it("steps forward and back, and shows all of it as a waterfall and as Mermaid", async () => {
      await page.getByRole("button", { name: "One step back" }).click();
      await page.getByRole("button", { name: "One step back" }).click();
      const { length } = await readSteps(page);
      const current = page.locator("quartet-step-list li.current .number");
      expect(await current.innerText()).to.equal(String(length - 1));
      await page.getByRole("button", { name: "One step forward" }).click();
      expect(await current.innerText()).to.equal(String(length));
      await page.getByRole("button", { name: "Waterfall" }).click();
      await page
        .locator("quartet-waterfall li")
        .nth(length - 1)
        .waitFor();
      expect(await page.locator("quartet-waterfall li").count()).to.equal(length);
      // It says so for two seconds, which a machine that is busy may miss.
      await until("it says that it is copied", async () => {
        await page.getByRole("button", { name: "Copy as Mermaid" }).click();
        return page.getByText("Copied").isVisible();
      });
      await untilCopied(page, /^sequenceDiagram\n/);
      await page.getByRole("button", { name: "Steps", exact: true }).click();
    });

    it("shows the real answer of each TEST button", async () => {
      await page.locator("quartet-account .toggle").click();
      await page.getByRole("menuitem", { name: /^Go on as .* \(admin\)$/ }).click();
      await page.locator("details.more > summary").click();
      const rows = page.locator("quartet-endpoint");
      expect(await rows.count()).to.be.at.least(18);
      for (const row of await rows.all()) {
        const path = await row.locator(".path").innerText();
        const method = await row.locator(".method").innerText();
        const [answer] = await Promise.all([
          page.waitForResponse((response) => pathOf(response.url()) === path && response.request().method() === method),
          row.getByRole("button", { name: "Test " }).click(),
        ]);
        const newest = page.locator("quartet-exchange").first();
        await newest.locator(".figures .chip", { hasText: String(answer.status()) }).waitFor();
        expect(await newest.locator(".request").innerText()).to.equal(`$ ${method} ${path}`);
        expect(answer.status(), `${method} ${path}`).to.be.below(300);
        const text = await answer.text();
        await newest.locator(".figures", { hasText: /\d m?s/ }).waitFor();
        if (answer.headers()["content-type"]?.startsWith("application/json")) {
          const body: Record<string, unknown> = JSON.parse(text);
          tokens.push(...[body.token, body.refresh_token].filter((secret) => typeof secret === "string"));
          const top = newest.locator("quartet-json").last().locator("summary").first();
          expect(await top.innerText()).to.match(new RegExp(`\\{ ${Object.keys(body).length} member`));
        } else if (text !== "") {
          expect(await newest.locator("pre.plain").textContent()).to.equal(text);
        }
      }
    });

    it("shows no password and no token", async () => {
      await openAll(page);
      const text = await textOf(page, "quartet-response-terminal");
      expect(text).to.include('password: "••••••••"').and.to.include('token: "••••••••"');
      expect(text).not.to.match(/customer-demo-password|harbour-lantern/);
      expect(tokens.length).to.be.at.least(2);
      expect(tokens.filter((token) => text.includes(token))).to.deep.equal([]);
    });

    it("shows a request's own flow, its curl command, and clears", async () => {
      const placed = page.locator("quartet-exchange", { hasText: "POST /orders/create" }).first();
      await openAll(page);
      await placed.getByRole("button", { name: "Copy as curl" }).click();
      await untilCopied(page, /^curl -i -X POST '.*\/orders\/create'/);
      await placed.getByRole("button", { name: "Show in flow" }).click();
      await page.getByRole("tab", { name: "Order", selected: true }).waitFor();
      await page.locator("quartet-step-list ol.real").waitFor();
      await page.getByRole("button", { name: "Clear" }).click();
      expect(await page.locator("quartet-exchange").count()).to.equal(0);
    });

    it("shows a request made elsewhere, and replays it", async () => {
      await fetch(`${shop.url}/products?limit=3`);
      const row = page.locator("quartet-recent-requests button", { hasText: "elsewhere" }).first();
      await row.waitFor();
      await row.click();
      await page.getByRole("tab", { name: "GET /products", selected: true }).waitFor();
      await page.locator("quartet-playback-bar .play", { hasText: "Replay" }).waitFor();
      // Each process tells its own steps.
      await page.locator("quartet-step-list ol.real .ends", { hasText: "Products → products.db" }).waitFor();
      const steps = await readSteps(page);
      await expectRealSpans(shop.url, steps);
    });

    it("tells events with their attempts, the backlog, and dead letters", async () => {
      const events = page.locator("quartet-events-section");
      await events.getByText("stock.rejected").first().waitFor();
      expect(await events.locator("tbody tr").first().innerText()).to.match(/1 attempt/);
      await events.getByText("orders → products").waitFor();
      await events.getByText("None: every event was handled.").waitFor();
    });

    it("shows the last minute: what was answered, how fast, what waits, and what is where", async () => {
      const strip = page.locator("quartet-pulse-strip");
      await strip.getByText(/^[1-9]\d* in a minute, /).waitFor();
      await strip.getByText(/^p99 \d/).waitFor();
      await strip
        .getByText(topology === oneProcess ? "with the gateway" : /^127\.0\.0\.1:\d+$/)
        .nth(2)
        .waitFor();
      expect(await strip.locator("path.answered-bars").getAttribute("d")).to.match(/^M[\d.]+ [\d.]+v-/);
    });

    if (topology === oneProcess) {
      it("shows a module that is killed: an order waits in the page, and is confirmed when it is back", async () => {
        await killProductsAndOrder(page);
      });

      it("shows a module that moves: a frame of its own, who waited at its gate, events by Redis", async () => {
        await moveOrders(page, shop);
      });
    }

    it("can be paused and goes on", async () => {
      await linkState(page).click();
      await page.locator("button.link.paused").waitFor();
      await fetch(`${shop.url}/products?limit=7`);
      await linkState(page).click();
      await untilLive(page);
    });

    it("shows a service that stops, and heals, without a reload", async () => {
      await markPage(page);
      const stopped = topology === oneProcess ? "gateway" : "products";
      const light = page.locator(`quartet-status-lights [data-service=${stopped}]`);
      await shop.kill(stopped);
      await light.and(page.locator(".down")).waitFor();
      expect(await light.locator(".reason").innerText()).not.to.equal("");
      await shop.restart(stopped);
      await light.and(page.locator(".running")).waitFor();
      expect(await isMarked(page)).to.equal(true);
    });

    inWholeRun("a stream of the page that breaks", () => {
      it("heals a broken stream, and goes on showing what happens", async () => {
        await markPage(page);
        await shop.kill("gateway");
        await page.locator("button.link.reconnecting").waitFor();
        await shop.restart("gateway");
        await untilLive(page);
        const { lit } = await runAndWatch(page, "Order", "order");
        expect(lit).to.have.length.above(9);
        expect(await isMarked(page)).to.equal(true);
      });
    });

    it("asks nobody else for anything, and its policy refuses nothing", () => {
      expect(own.foreignRequests).to.deep.equal([]);
      expect(own.complaints).to.deep.equal([]);
    });
  });
}

/** Every step names a span that the gateway knows. */
async function expectRealSpans(url: string, steps: readonly { readonly spanId: string }[]): Promise<void> {
  const answer = await fetch(`${url}/console/traces?limit=200`);
  const { data } = (await answer.json()) as { data: { spans: { span_id: string }[] }[] };
  const known = new Set(data.flatMap(({ spans }) => spans.map(({ span_id }) => span_id)));
  expect(steps.length).to.be.above(0);
  expect(steps.filter(({ spanId }) => !known.has(spanId))).to.deep.equal([]);
}

/** What the page says of its slowness at speed 8 is the shown time, of steps that are held for 81 to 275 ms, divided by the real one. */
async function expectSlowed(page: Page, steps: number): Promise<void> {
  const said = await page.locator("quartet-playback-bar .slowed").innerText();
  const slowedBy = Number(/^slowed ×([\d.]+)$/.exec(said.trim())?.[1]);
  const head = await page.locator("quartet-flow-section .head .what p").innerText();
  const [, realTime, unit] = /all done in ([\d.]+) (m?s)/.exec(head) ?? [];
  const realMs = Number(realTime) * (unit === "s" ? 1_000 : 1);
  // Both are rounded: to two digits, or a tenth, and to three.
  const told = `${said}, ${steps} steps, ${head}`;
  expect((slowedBy * 1.06 + 0.05) * realMs, told).to.be.at.least((steps * 650) / 8);
  expect((slowedBy * 0.94 - 0.05) * realMs, told).to.be.at.most((steps * 2_200) / 8);
}

function untilCopied(page: Page, expected: RegExp): Promise<void> {
  return until(`${expected} is copied`, async () =>
    expected.test(await page.evaluate(() => navigator.clipboard.readText())),
  );
}

/** Opens every entry of the terminal. */
async function openAll(page: Page): Promise<void> {
  const entries = page.locator("quartet-exchange details.entry");
  const count = await entries.evaluateAll((all) => {
    for (const each of all) (each as HTMLDetailsElement).open = true;
    return all.length;
  });
  await page
    .locator("quartet-exchange .tools")
    .nth(count - 1)
    .waitFor();
}

/** These come in this order, whatever comes between them. */
function expectInOrder(actual: readonly string[], expected: readonly string[]): void {
  const rest = [...expected];
  for (const each of actual) if (each === rest[0]) rest.shift();
  expect(rest, `missing, or too early, in ${actual.join("; ")}`).to.deep.equal([]);
}

function markPage(page: Page): Promise<void> {
  return page.evaluate(() => {
    (globalThis as unknown as { marked: boolean }).marked = true;
  });
}

/** True when the page has not been loaded again since it was marked. */
function isMarked(page: Page): Promise<boolean> {
  return page.evaluate(() => (globalThis as unknown as { marked?: boolean }).marked === true);
}

function pathOf(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ");
}
