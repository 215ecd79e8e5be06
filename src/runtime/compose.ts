import type { Logger } from "pino";
import { traceOf } from "../base/trace.ts";
import type { Bus } from "../bus/bus.ts";
import type { ChangingBus } from "../bus/changing-bus.ts";
import type { CallContext } from "../contract/context.ts";
import { createClient } from "../contract/contract.ts";
import { createTokenVerifier, type TokenVerifier } from "../identity/token-verifier.ts";
import type { Config } from "./config.ts";
import { learnDeployment, nameDeployment } from "./deployment.ts";
import { moduleNames, modules, subscribersOf } from "./modules.ts";
import type { Places } from "./serving/places.ts";

/** The parts of this process, for those that answer for all of them. */
export interface System {
  readonly config: Config;
  readonly logger: Logger;
  readonly bus: ChangingBus;
  /** Names the deployment, undefined while that is not known. */
  readonly deployment: () => string | undefined;
  readonly places: Places;
  readonly verifier: TokenVerifier;
}

/** The context of a call that nobody outside asked for. */
export function ownContext(timeoutMs: number): CallContext {
  return {
    principal: null,
    token: null,
    deadline: performance.now() + timeoutMs,
    requestId: "-",
    trace: traceOf(undefined),
  };
}

/** Verifies tokens by the keys of users, wherever that is. */
export function createVerifier(config: Config, places: Places): TokenVerifier {
  const users = createClient(modules.users.contract, places.of("users").service);
  return createTokenVerifier({
    issuer: config.JWT_ISSUER,
    audience: config.JWT_AUDIENCE,
    fetchKeys: () => users.getJwks({}, ownContext(config.CALL_TIMEOUT)),
  });
}

/** Whoever serves users names the deployment, all others ask there. */
export function deploymentOf(places: Places): System["deployment"] {
  const users = places.of("users");
  const learnt = learnDeployment(async () => (await users.there?.addresses()) ?? []);
  let own: string | undefined; // it goes on being the name when users has moved from here: that is with its file
  return () => {
    if (users.here !== undefined) own = nameDeployment(users.here.store.seat);
    return own ?? learnt();
  };
}

/** In memory where no Redis is named, which needs all modules in this process. */
export async function createBus(
  config: Pick<Config, "REDIS_URL" | "REDIS_PREFIX" | "FAULTS">,
  logger: Logger,
  deployment: System["deployment"],
): Promise<Bus> {
  const faults = { faults: config.FAULTS };
  if (config.REDIS_URL === undefined) {
    const { createMemoryBus } = await import("../bus/memory/bus.ts");
    return createMemoryBus({ logger, ...faults });
  }
  const { createRedisBus } = await import("../bus/redis/bus.ts");
  const subscribers = Object.fromEntries(moduleNames.map((name) => [name, subscribersOf(name)]));
  const place = { url: config.REDIS_URL, keyPrefix: config.REDIS_PREFIX, deployment };
  return createRedisBus({ ...place, logger, subscribers, ...faults });
}
