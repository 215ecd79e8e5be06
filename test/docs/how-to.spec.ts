import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";
import { type OtlpReceiver, startOtlpReceiver } from "../operations/otlp-receiver.ts";
import { until } from "../support/process.ts";
import { followPage } from "./follow.ts";

const execute = promisify(execFile);

/** Of the containers that pages start. */
const project = `quartet-docs-${process.pid}`;

describe("how-to pages, followed to the letter", () => {
  followPage("docs/how-to/add-a-module.md", {
    needs: { "8. Run it as a fifth container": hasDocker },
    prepare: async () => ({ COMPOSE_PROJECT_NAME: project }),
    cleanUp: async () => {
      if (hasDocker()) await execute("docker", ["compose", "-p", project, "down", "--volumes", "--timeout", "3"]);
    },
    timeoutMs: 300_000,
  });
  followPage("docs/how-to/add-an-event.md");
  followPage("docs/how-to/extract-a-module.md");
  followPage("docs/how-to/rotate-keys.md");
  followPage("docs/how-to/run-behind-a-proxy.md", {
    needs: Object.fromEntries(
      ["2. The proxy", "3. Quartet", "4. Nobody chooses an address"].map((section) => [section, hasNginx]),
    ),
    cleanUp: async ({ dir }) => void spawnSync("nginx", ["-s", "quit", "-p", ".", "-c", "nginx.conf"], { cwd: dir }),
  });
  let receiver: OtlpReceiver;
  followPage("docs/how-to/read-a-trace.md", {
    async prepare() {
      receiver = await startOtlpReceiver();
      return { COLLECTOR_PORT: new URL(receiver.url).port };
    },
    checks: {
      "2. In a collector": () => until("one trace of all four services has come", () => hasWholeTrace(receiver)),
    },
    cleanUp: () => receiver.stop(),
  });
});

function hasWholeTrace({ spans }: OtlpReceiver): boolean {
  const traces = Map.groupBy(spans, ({ traceId }) => traceId).values();
  return traces.some((trace) => new Set(trace.map(({ service }) => service)).size === 4);
}

function hasNginx(): boolean {
  return spawnSync("nginx", ["-v"]).status === 0;
}

function hasDocker(): boolean {
  return spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
}
