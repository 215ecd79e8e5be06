import type { Suite } from "mocha";
import { leftOut } from "./extent.ts";

/** What a worker that has run a file tells of it, beside its tests. */
export interface FileReport {
  readonly file: string;
  /** With its hooks. */
  readonly timeMs: number;
  readonly leftOut: readonly string[];
}

/** The root suite of a file, as it comes out of a worker: Mocha sends what `serialize` says. */
export interface ReportedSuite {
  readonly root: boolean;
  readonly fileReport: FileReport;
}

/** Mocha loads this before the files. A worker has but the events of its run to tell anything by; without workers nobody asks. */
export const mochaHooks = {
  beforeAll(this: Mocha.Context): void {
    const root = this.test?.parent as Suite & { serialize(): object };
    const startedAt = performance.now();
    const serialize = root.serialize.bind(root);
    root.serialize = () => {
      const file = root.suites[0]?.file ?? "";
      const fileReport: FileReport = { file, timeMs: performance.now() - startedAt, leftOut: [...leftOut] };
      return { ...serialize(), fileReport };
    };
  },
};
