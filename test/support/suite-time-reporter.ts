import { relative } from "node:path";
import Mocha, { type MochaOptions, type Runner, type Suite } from "mocha";

/** Mocha's usual report, then how long each file took with its hooks, and one line with the sums. */
export default class SuiteTimeReporter extends Mocha.reporters.Spec {
  constructor(runner: Runner, options: MochaOptions) {
    super(runner, options);
    const startedAt = new Map<Suite, number>();
    const timesMs = new Map<string, number>();
    const isTop = (suite: Suite) => suite.parent?.root === true;
    runner.on("suite", (suite: Suite) => {
      if (isTop(suite)) startedAt.set(suite, performance.now());
    });
    runner.on("suite end", (suite: Suite) => {
      if (!isTop(suite)) return;
      const file = relative(process.cwd(), suite.file ?? "");
      const timeMs = performance.now() - (startedAt.get(suite) ?? 0);
      timesMs.set(file, (timesMs.get(file) ?? 0) + timeMs);
    });
    runner.once("end", () => {
      for (const [file, timeMs] of [...timesMs].sort(([, a], [, b]) => b - a)) {
        console.log(`${(timeMs / 1_000).toFixed(2).padStart(8)} s  ${file}`);
      }
      const { passes, failures, pending } = this.stats;
      console.log(`\n${passes} passed, ${failures} failed${pending === 0 ? "" : `, ${pending} skipped`}`);
    });
  }
}
