import type { Browser, BrowserContext, Page } from "playwright-core";
import { until } from "../support/process.ts";

/** A visit of the console, and all that a browser tells of it. */
export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Requests that wanted to leave the origin; each was blocked. */
  readonly foreignRequests: readonly string[];
  /** What the page's policy refused, and errors that nobody caught. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

export interface VisitOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
  readonly reducedMotion?: "reduce" | "no-preference";
  readonly deviceScaleFactor?: number;
}

/** Opens the console at `url` and waits until it is live, or says why it is not. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { width = 1280, height = 900, ...rest } = options;
  const context = await browser.newContext({ viewport: { width, height }, ...rest });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const foreignRequests: string[] = [];
  const complaints: string[] = [];
  await context.route(
    (address) => address.origin !== url,
    (route) => {
      foreignRequests.push(route.request().url());
      return route.abort();
    },
  );
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, context, foreignRequests, complaints, close: () => context.close() };
}

/** The state of the stream, as the header tells it. */
export function linkState(page: Page) {
  return page.locator("quartet-page-header button.link");
}

export async function untilLive(page: Page): Promise<void> {
  await linkState(page).and(page.locator(".live")).waitFor();
}

/** A step as the page shows it. */
export interface ShownStep {
  readonly number: string;
  readonly spanId: string;
  readonly route: string;
  readonly what: string;
  readonly status: string;
  readonly afterAnswer: boolean;
}

export function readSteps(page: Page): Promise<ShownStep[]> {
  return page.locator("quartet-step-list ol.real > li").evaluateAll((items) => {
    const answer = items.findIndex((item) => item.querySelector(".ends")?.textContent === "API Gateway → Client");
    const text = (item: Element, selector: string): string => item.querySelector(selector)?.textContent?.trim() ?? "";
    return items.map((item, index) => ({
      number: text(item, ".number"),
      spanId: item.getAttribute("data-span") ?? "",
      route: text(item, ".ends"),
      what: text(item, ".what"),
      status: text(item, ".chip"),
      afterAnswer: index > answer,
    }));
  });
}

/**
 * Orders, until an order is told to its end. A run is shown with what is known of it after a few seconds: on a machine that is busy one
 * more has to be run.
 */
export async function orderToTheEnd(page: Page): Promise<void> {
  await until("an order is told to its end", async () => {
    await page.locator("[data-run=order]").click();
    await page.locator("[data-run=order][aria-disabled=false]").waitFor();
    return page.getByText("confirmed. Nobody waited").isVisible();
  });
}

/** What a run that is known to its end shows: of each process the step that it tells last. */
const LAST_STEPS = {
  registration: ["Users → users.db: ", "API Gateway → Client: "],
  order: ["API Gateway → Client: ", "Products → Event bus: stock.reserved", "Event bus → Orders: stock.reserved"],
  oversold: ["API Gateway → Client: ", "Products → Event bus: stock.rejected", "Event bus → Orders: stock.rejected"],
};

/** On a machine that is busy a few may be needed; a page that leaves out a step does so in each. */
const MOST_RUNS = 5;

export interface WatchedRun {
  /** The numbers of the steps in the order in which they were lit. */
  readonly lit: readonly number[];
  readonly steps: readonly ShownStep[];
}

/**
 * Starts a run and resolves with what was shown of it. A run is shown with what is known of it after a few seconds: on a machine that
 * is busy one more has to be run, as where steps came when it was on show already.
 */
export async function runAndWatch(
  page: Page,
  tab: "Registration" | "Order",
  run: keyof typeof LAST_STEPS,
): Promise<WatchedRun> {
  await page.getByRole("tab", { name: tab }).click();
  await page.locator("quartet-playback-bar select").selectOption("8");
  for (let runs = 1; ; runs += 1) {
    const { lit, steps } = await runOnce(page, run);
    const told = steps.map(({ route, what }) => `${route}: ${what}`);
    const isWhole = LAST_STEPS[run].every((last) => told.some((each) => each.startsWith(last)));
    if (isWhole && lit.length === steps.length) return { lit, steps };
    if (runs === MOST_RUNS) throw new Error(`no run is told to its end: lit ${lit}, in ${told.join("; ")}`);
  }
}

async function runOnce(page: Page, run: string): Promise<WatchedRun> {
  await watchLights(page);
  await page.locator(`[data-run=${run}]`).click();
  await page.locator(`[data-run=${run}][aria-disabled=false]`).waitFor();
  // It plays by now, unless nothing of it has come.
  await page.locator("quartet-playback-bar :is(.play, .progress)", { hasText: /Replay|A run is played/ }).waitFor();
  const lit = await page.evaluate(() => (globalThis as unknown as { lit: number[] }).lit);
  return { lit, steps: await readSteps(page) };
}

/** Collects which steps are lit, change by change. */
function watchLights(page: Page): Promise<void> {
  return page.locator("quartet-step-list").evaluate((list) => {
    const lit: number[] = [];
    (globalThis as unknown as { lit: number[] }).lit = lit;
    const root = list.shadowRoot;
    if (root === null) throw new Error("the list of steps has not been drawn");
    new MutationObserver(() => {
      const number = Number(root.querySelector("li.current .number")?.textContent ?? 0);
      if (number > 0 && lit.at(-1) !== number) lit.push(number);
    }).observe(root, { subtree: true, childList: true, attributes: true });
  });
}

/** What moves anywhere on the page: a document tells of its own elements only, not of those in shadow roots. */
export function runningAnimations(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const look = (root: Document | ShadowRoot): void => {
      for (const { effect } of root.getAnimations())
        found.push((effect as KeyframeEffect).target?.outerHTML.slice(0, 80) ?? "");
      for (const element of root.querySelectorAll("*")) if (element.shadowRoot !== null) look(element.shadowRoot);
    };
    look(document);
    return found;
  });
}

/** All text that an element shows, through shadow roots. */
export function textOf(page: Page, selector: string): Promise<string> {
  return page.locator(selector).evaluate((element) => {
    const read = (node: Node): string => {
      if (node instanceof Text) return node.data;
      if (node instanceof HTMLStyleElement) return "";
      const root = node instanceof Element ? (node.shadowRoot ?? node) : node;
      return [...root.childNodes].map(read).join("");
    };
    return read(element).replace(/\s+/g, " ");
  });
}
