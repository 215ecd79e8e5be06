import { fileURLToPath } from "node:url";
import type { Context } from "koa";
import type { Logger } from "pino";
import { createClient } from "../contract/contract.ts";
import { type Console, createConsole } from "../gateway/console/console.ts";
import type { HealthDeps } from "../health/status.ts";
import { DEMO_ADMIN } from "../modules/users/index.ts";
import { startExport, startTelemetry } from "../telemetry/tracing.ts";
import { callable, ownContext, type System } from "./compose.ts";
import type { Config } from "./config.ts";
import { modules, servesAll } from "./modules.ts";
import { version } from "./version.ts";

/** Lets a console, wherever its gateway is, see what this process does. Returns the way to stop it. */
export function beWatched(system: System): () => void {
  return startTelemetry({ bus: system.bus, presence: () => ({ services: [...system.config.SERVE] }) });
}

/** Exports traces, if the settings say where to. Resolves the way to stop it. */
export async function exportTraces({ SERVE, tracesUrl }: Config, logger: Logger): Promise<() => Promise<void>> {
  if (tracesUrl === undefined) return async () => {};
  const serviceName = servesAll(SERVE) ? "quartet" : `quartet-${SERVE.join("-")}`;
  return startExport({ url: tracesUrl, serviceName, version }, (message) => logger.warn(message));
}

/** The console of a gateway. One click signs in while trying out only: with demo data, and by name in development. */
export function composeConsole(system: System, health: HealthDeps): Console {
  const { config, bus, verifier, callables } = system;
  const users = createClient(modules.users.contract, callable(callables, "users"));
  const signInAs = (admin: typeof DEMO_ADMIN & object) => (koa: Context) =>
    users.loginUser(admin, { ...ownContext(config.CALL_TIMEOUT), requestId: koa.state.requestId });
  const isTryingOut = config.NODE_ENV === "development" && config.SEED;
  return createConsole({
    bus,
    health,
    verify: verifier.verify,
    signIn: isTryingOut && DEMO_ADMIN !== undefined ? signInAs(DEMO_ADMIN) : undefined,
    version,
    environment: config.NODE_ENV,
    exporting: config.tracesUrl !== undefined,
    root: fileURLToPath(new URL("../..", import.meta.url)),
  });
}
