import axe from "axe-core";
import type { Page } from "playwright-core";
import { runningAnimations } from "./page.ts";

/**
 * What axe-core finds wrong with the page as it is now, one line each.
 * @param part an element of the console that is looked at alone
 */
export async function findViolations(page: Page, part?: string): Promise<string[]> {
  // Colours that are on their way to others have a contrast that nobody sees.
  while ((await runningAnimations(page)).length > 0) await page.waitForTimeout(50);
  await page.evaluate(axe.source);
  return page.evaluate(async (part) => {
    const { axe: here } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await here.run(
      part === undefined ? document : { include: { fromShadowDom: ["quartet-console", part] } },
    );
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
  }, part);
}
