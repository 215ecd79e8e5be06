import { connect as connectTcp, Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { AbstractConnector, Redis } from "ioredis";
import { reasonOf } from "../../base/fault-reason.ts";
import type { Address, Sentinels } from "./sentinels.ts";

/** How long a sentinel has to be reached, and to answer. */
const SENTINEL_TIMEOUT_MS = 1_000;

/** How long a connection that is closed has for its farewell, as with one that is made without sentinels. */
const DISCONNECT_TIMEOUT_MS = 2_000;

/** What a client is told to use the primary that these sentinels name. */
export function optionsFor(sentinels: Sentinels) {
  const { username, password, db, tls } = sentinels;
  return {
    db,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    Connector: connectorTo(sentinels),
  };
}

/**
 * Makes connections to whichever server is the primary, each time anew. That nobody knows of one is as if it could not be reached: the
 * next attempt comes as after any other that failed.
 */
function connectorTo(sentinels: Sentinels): new () => AbstractConnector {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      delete this.firstError;
      const primary = await findPrimary(sentinels).catch((error: Error) => {
        this.firstError = error;
      });
      const isWanted = this.connecting && primary !== undefined;
      this.stream = isWanted ? connectBy(primary, sentinels.tls) : new Socket().destroy();
      this.stream.once("error", (error) => {
        this.firstError = error;
      });
      return this.stream;
    }

    /** A sentinel may not have heard yet that it is the primary no more. */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === "master";
    }
  };
}

function connectBy(primary: Address, tls: boolean): Socket {
  return tls ? connectTls({ ...primary }) : connectTcp({ ...primary });
}

/** As the sentinel has it that answers first. @throws Error that says of each why it tells none */
async function findPrimary(sentinels: Sentinels): Promise<Address> {
  try {
    return await Promise.any(sentinels.addresses.map((address) => ask(address, sentinels)));
  } catch (error) {
    const reasons = error instanceof AggregateError ? error.errors.map(({ message }) => message) : [String(error)];
    throw new Error(`no sentinel tells where ${sentinels.name} is: ${reasons.join("; ")}`);
  }
}

async function ask({ host, port }: Address, { name, sentinelPassword, tls }: Sentinels): Promise<Address> {
  const sentinel = new Redis({
    host,
    port,
    ...(sentinelPassword === "" ? {} : { password: sentinelPassword }),
    ...(tls ? { tls: {} } : {}),
    connectTimeout: SENTINEL_TIMEOUT_MS,
    commandTimeout: SENTINEL_TIMEOUT_MS,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  let cause: Error | undefined;
  sentinel.on("error", (error: Error) => {
    cause ??= error;
  });
  try {
    const found = await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name);
    if (!Array.isArray(found)) throw new Error("knows none of this name");
    return { host: String(found[0]), port: Number(found[1]) };
  } catch (error) {
    throw new Error(`${host}:${port}: ${reasonOf(cause ?? error)}`);
  } finally {
    sentinel.disconnect();
  }
}
