import { spawnSync } from "node:child_process";
import { missingKubectl } from "../../tools/kubernetes/render.ts";
import { type OtlpReceiver, startOtlpReceiver } from "../operations/otlp-receiver.ts";
import { inWholeRun } from "../support/extent.ts";
import { missingPostgres, type PostgresServer, startPostgresServer } from "../support/postgres.ts";
import { type PostgresPair, startPostgresPair } from "../support/postgres-pair.ts";
import { until } from "../support/process.ts";
import { containers } from "./containers.ts";
import { followPage, type PageOptions } from "./follow.ts";

describe("how-to pages, followed to the letter", () => {
  followPage("docs/how-to/change-the-api.md");
  inWholeRun("the other how-to pages, followed", () => {
    followPage("docs/how-to/add-a-module.md", {
      ...containers(["9. Run it as a fifth container"]),
      timeoutMs: 900_000,
    });
    followPage("docs/how-to/add-an-endpoint.md");
    followPage("docs/how-to/change-a-table.md");
    followPage("docs/how-to/add-an-event.md");
    followPage("docs/how-to/extract-a-module.md");
    followPage("docs/how-to/rotate-keys.md");
    followPage("docs/how-to/back-up-and-restore.md", { ...containers(["5. In containers"]), timeoutMs: 900_000 });
    followPage(
      "docs/how-to/run-behind-a-proxy.md",
      nginx(["2. The proxy", "3. Quartet", "4. Nobody chooses an address"]),
    );
    followPage("docs/how-to/read-a-trace.md", collector("2. In a collector"));
    followPage("docs/how-to/run-on-kubernetes.md", kubectl(["2. An overlay of yours", "3. Check it"]));
    followPage("docs/how-to/run-replicas.md", postgres(["2. Two of each", "3. An order, whichever takes it"]));
    followPage(
      "docs/how-to/upgrade.md",
      postgres([
        "2. A shop that runs",
        "3. The new version",
        "4. The schema first",
        "5. One process after the other",
        "6. And back",
      ]),
    );
    followPage("docs/how-to/fail-over.md", pair());
    followPage("docs/how-to/move-to-postgres.md", postgres(["2. A database", "3. Move", "4. Go on", "5. And back"]));
  });
});

/** @param sections those that can only be followed where there is an nginx */
function nginx(sections: readonly string[]): PageOptions {
  const hasNginx = () => spawnSync("nginx", ["-v"]).status === 0;
  return {
    needs: Object.fromEntries(sections.map((section) => [section, hasNginx])),
    cleanUp: async ({ dir }) => void spawnSync("nginx", ["-s", "quit", "-p", ".", "-c", "nginx.conf"], { cwd: dir }),
  };
}

/** @param sections those that can only be followed where there is a kubectl that renders */
function kubectl(sections: readonly string[]): PageOptions {
  return { needs: Object.fromEntries(sections.map((section) => [section, () => missingKubectl() === undefined])) };
}

/** @param sections those that can only be followed where there is a PostgreSQL */
function postgres(sections: readonly string[]): PageOptions {
  const hasPostgres = () => missingPostgres() === undefined;
  let server: PostgresServer | undefined;
  return {
    needs: Object.fromEntries(sections.map((section) => [section, hasPostgres])),
    async prepare() {
      if (!hasPostgres()) return {};
      server = await startPostgresServer();
      await server.query("CREATE ROLE shop LOGIN CREATEROLE PASSWORD 'secret'");
      await server.query("CREATE DATABASE shop OWNER shop ENCODING 'UTF8' TEMPLATE template0");
      const database = `postgres://shop:secret@127.0.0.1:${server.port}/shop`;
      return { DATABASE: database };
    },
    cleanUp: async () => server?.stop(),
  };
}

/** A primary and its standby; without PostgreSQL and its client only the rest of the page can be followed. */
function pair(): PageOptions {
  const sections = ["1. A synchronous standby", "2. Tell Quartet of both", "3. Promote", "4. Make sure"];
  const canRun = () => missingPostgres() === undefined && spawnSync("psql", ["--version"]).status === 0;
  let servers: PostgresPair | undefined;
  return {
    needs: Object.fromEntries(sections.map((section) => [section, canRun])),
    async prepare() {
      if (!canRun()) return {};
      servers = await startPostgresPair("synchronous");
      const { primary, standby, url } = servers;
      await primary.query("CREATE ROLE shop LOGIN CREATEROLE PASSWORD 'secret'");
      await primary.query("CREATE DATABASE shop OWNER shop ENCODING 'UTF8' TEMPLATE template0");
      return {
        PRIMARY: primary.url,
        STANDBY_URL: standby?.url ?? "",
        STOP_PRIMARY: `kill -KILL ${primary.pid}`,
        DATABASE: url.replace("postgres@", "shop:secret@").replace("/postgres?", "/shop?"),
      };
    },
    cleanUp: async () => servers?.stop(),
  };
}

/** @param section the one after which the collector must have a trace of all four services */
function collector(section: string): PageOptions {
  let receiver: OtlpReceiver;
  const hasWholeTrace = () => {
    const traces = Map.groupBy(receiver.spans, ({ traceId }) => traceId).values();
    return traces.some((trace) => new Set(trace.map(({ service }) => service)).size === 4);
  };
  return {
    async prepare() {
      receiver = await startOtlpReceiver();
      return { COLLECTOR_PORT: new URL(receiver.url).port };
    },
    checks: { [section]: () => until("one trace of all four services has come", hasWholeTrace) },
    cleanUp: () => receiver.stop(),
  };
}
