import { expect } from "chai";
import type { Page } from "playwright-core";
import { oneProcess } from "../support/topology.ts";
import { untilLive, type Visit } from "./page.ts";
import { showShop } from "./shown-shop.ts";

describe("console: who is signed in", () => {
  const shown = showShop(oneProcess);
  let own: Visit;
  let page: Page;

  beforeEach(async () => {
    own = await shown.visit({ reducedMotion: "reduce" });
    page = own.page;
    await untilLive(page);
  });

  afterEach(() => own.close());

  const account = () => page.getByRole("button", { name: /^Account: / });
  const menu = () => page.getByRole("menu");
  const beAdmin = async () => {
    await page.locator("button.demo-admin").click();
    await account().waitFor();
  };

  it("is who has just registered: the header says so, and an order is theirs", async () => {
    await beAdmin();
    const [registered] = await Promise.all([
      answerTo(page, "/users/register"),
      run(page, "Registration", "registration"),
    ]);
    await account().filter({ hasText: "Ada Sample" }).waitFor();
    for (const name of ["order", "oversold"]) {
      const [ordered] = await Promise.all([answerTo(page, "/orders/create"), run(page, "Order", name)]);
      expect(ordered.user_id, name).to.equal((registered.user as { id: string }).id);
    }
    await page.getByText("this one was rejected").waitFor();
  });

  it("is told by a menu that opens, closes and signs out only when that is chosen", async () => {
    await beAdmin();
    await account().click();
    expect(await page.locator("quartet-account .whom").innerText()).to.match(/admin@example\.com|@/);
    expect(await page.locator("quartet-account .whom .chip").innerText()).to.equal("admin");
    await page.keyboard.press("Escape");
    expect(await menu().count()).to.equal(0);
    await page.keyboard.press("ArrowDown");
    await menu().waitFor();
    await page.getByText("Run a flow and watch").click();
    expect(await menu().count()).to.equal(0);
    expect(await account().getAttribute("aria-expanded")).to.equal("false");
    await account().click();
    const [ended] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/users/logout")),
      page.getByRole("menuitem", { name: "Sign out" }).click(),
    ]);
    expect(ended.status()).to.equal(204);
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  });

  it("goes back to the admin in one click, and is one by one click where there was none", async () => {
    await run(page, "Registration", "registration");
    await account().click();
    await page.getByRole("menuitem", { name: "Sign in as the demo admin" }).click();
    await page.getByRole("button", { name: /^Account: .*, admin$/ }).waitFor();
    await run(page, "Registration", "registration");
    await account().click();
    await page.getByRole("menuitem", { name: /^Go on as .* \(admin\)$/ }).click();
    await page.getByRole("button", { name: /^Account: .*, admin$/ }).waitFor();
  });

  it("is who logs in with the tester, and who registers there, unless an admin creates the account", async () => {
    await test(page, "POST /users/register");
    await page.getByRole("button", { name: "Account: Ada Sample, customer" }).waitFor();
    await page.locator("details.more > summary").click();
    await test(page, "POST /users/login");
    await page.getByRole("button", { name: /^Account: (?!Ada).*, customer$/ }).waitFor();
    const [denied] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/users")),
      test(page, "GET /users"),
    ]);
    expect(denied.status()).to.equal(403);
    await page.locator("quartet-endpoint .note").getByRole("button", { name: "Sign in as the demo admin" }).click();
    await page.getByRole("button", { name: /^Account: .*, admin$/ }).waitFor();
    await test(page, "POST /users/register");
    await page.getByText(/^Created\. You are still /).waitFor();
    await page.getByRole("button", { name: /^Account: .*, admin$/ }).waitFor();
  });

  it("stays through a token that is no good any more, as long as the session lives", async () => {
    await beAdmin();
    await page.route("**/users", (route) => route.fulfill(REFUSED), { times: 1 });
    const [listed] = await Promise.all([
      page.waitForResponse((response) => response.url().endsWith("/users") && response.status() === 200),
      test(page, "GET /users"),
    ]);
    expect(listed.ok()).to.equal(true);
    await account().waitFor();
  });

  it("is nobody when the session has ended elsewhere, and the page says so", async () => {
    await run(page, "Registration", "registration");
    await page.route("**/orders/create", (route) => route.fulfill(REFUSED));
    await page.route("**/users/refresh", (route) => route.fulfill(REFUSED));
    await run(page, "Order", "order");
    await page.getByText("Your session has ended. Sign in again.").waitFor();
    await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  });
});

const REFUSED = {
  status: 401,
  headers: { "content-type": "application/problem+json", "www-authenticate": 'Bearer error="invalid_token"' },
  body: JSON.stringify({ type: "/problems/invalid-token", status: 401, detail: "The token is not good." }),
};

async function run(page: Page, tab: string, name: string): Promise<void> {
  await page.getByRole("tab", { name: tab }).click();
  await page.locator(`[data-run=${name}]`).click();
  await page.locator(`[data-run=${name}][aria-disabled=false]`).waitFor();
}

async function test(page: Page, endpoint: string): Promise<void> {
  await page.getByRole("button", { name: `Test ${endpoint}`, exact: true }).click();
}

async function answerTo(page: Page, path: string): Promise<Record<string, unknown>> {
  const response = await page.waitForResponse((each) => each.url().endsWith(path));
  return response.json();
}
