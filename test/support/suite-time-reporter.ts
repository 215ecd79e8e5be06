import { relative } from "node:path";
import Mocha, { type MochaOptions, type Runner, type Suite } from "mocha";
import { leftOut } from "./extent.ts";
import type { ReportedSuite } from "./file-report.ts";

/** Mocha's usual report, then how long each file took with its hooks, what was left out or skipped, and one line with the sums. */
export default class SuiteTimeReporter extends Mocha.reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    const timesMs = new Map<string, number>();
    const add = (file: string, timeMs: number) => timesMs.set(file, (timesMs.get(file) ?? 0) + timeMs);
    if (isParallel(runner)) {
      runner.on("suite end", (suite: Suite | ReportedSuite) => {
        if (!("fileReport" in suite)) return;
        add(suite.fileReport.file, suite.fileReport.timeMs);
        for (const what of suite.fileReport.leftOut) leftOut.add(what);
      });
    } else {
      const startedAt = new Map<Suite, number>();
      const isTop = (suite: Suite) => suite.parent?.root === true;
      runner.on("suite", (suite: Suite) => {
        if (isTop(suite)) startedAt.set(suite, performance.now());
      });
      runner.on("suite end", (suite: Suite) => {
        if (isTop(suite)) add(suite.file ?? "", performance.now() - (startedAt.get(suite) ?? 0));
      });
    }
    const skipped = new Map<string, number>();
    runner.on("pending", ({ file = "" }) => {
      const name = relative(process.cwd(), file);
      skipped.set(name, (skipped.get(name) ?? 0) + 1);
    });
    runner.once("end", () => {
      for (const [file, timeMs] of [...timesMs].sort(([, a], [, b]) => b - a)) {
        console.log(`${(timeMs / 1_000).toFixed(2).padStart(8)} s  ${relative(process.cwd(), file)}`);
      }
      if (leftOut.size > 0) {
        console.log("\nLeft out of this short run (npm run test:all runs it all):");
        for (const what of leftOut) console.log(`  ${what}`);
      }
      if (skipped.size > 0) console.log("\nSkipped for what is missing here:");
      for (const [file, tests] of skipped) console.log(`  ${tests} in ${file}`);
      const { passes, failures, pending } = this.stats;
      console.log(`\n${passes} passed, ${failures} failed${pending === 0 ? "" : `, ${pending} skipped`}`);
    });
  }
}

function isParallel(runner: Runner & { isParallelMode?(): boolean }): boolean {
  return runner.isParallelMode?.() === true;
}
