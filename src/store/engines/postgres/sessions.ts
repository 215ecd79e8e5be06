import { randomUUID } from "node:crypto";
import { type Client, type ClientBase, Pool, type PoolClient, type QueryConfig } from "pg";
import type { Query } from "../../sql.ts";
import { CONNECT_TIMEOUT_MS, type ConnectionConfig } from "./connection.ts";
import type { Hosts } from "./hosts.ts";
import { connectionReason, faultOf, NoConnection } from "./postgres-fault.ts";
import type { Statements } from "./statements.ts";

/** A connection goes after this time, so that none is as old as its witness may be; see `forgetWitnesses`. */
const LIFETIME_SECONDS = 60 * 60;

const IDLE_MS = 60_000;

/** What a statement answered. */
export interface Answer<Row = unknown> {
  /** The first word of what was done: `SELECT`, `COMMIT`. */
  readonly command: string;
  readonly rows: Row[];
  /** How many rows it changed or found. */
  readonly rowCount: number | null;
}

export interface SessionsOptions {
  readonly config: ConnectionConfig;
  readonly statements: Statements;
  /** The most that there are at once. */
  readonly most: number;
}

/** What is known of a connection from one piece of work to the next; see `witness.ts`. */
export interface Connection {
  readonly id: string;
  /** How many units of work it has begun. */
  units: number;
}

/** A connection, for as long as one piece of work has it. What is sent goes out at once, one after the other, whether awaited or not. */
export class Session {
  readonly #client: PoolClient;
  readonly #statements: Statements;
  readonly connection: Connection;
  /** Whether it is of no more use. */
  isBroken = false;

  constructor(client: PoolClient, statements: Statements, connection: Connection) {
    this.#client = client;
    this.#statements = statements;
    this.connection = connection;
  }

  /** As the server is given it. @param locks see `Statements.write` */
  write(query: Query, locks?: boolean): QueryConfig<unknown[]> {
    return this.#statements.write(query, locks);
  }

  /** Runs a statement. @throws as `send` */
  ask<Row>(query: Query<Row>): Promise<Answer<Row>> {
    return this.send(this.write(query)) as Promise<Answer<Row>>;
  }

  /** Runs a command, such as BEGIN, or statements that are text. @throws as `send` */
  command(text: string): Promise<Answer> {
    return this.send(text);
  }

  /** @throws DatabaseError; Error of the driver when the connection is lost */
  async send(what: string | QueryConfig<unknown[]>): Promise<Answer> {
    try {
      return await this.#client.query<Record<string, unknown>, unknown[]>(what);
    } catch (error) {
      if (faultOf(error) === "lost") this.isBroken = true;
      throw error;
    }
  }
}

/** Asked at each new connection. */
const ONLY_READS = { text: "SHOW transaction_read_only", query_timeout: CONNECT_TIMEOUT_MS };

/**
 * A bounded number of connections, made when they are needed, to the one server among several that is written to. Where it may have
 * become another, that is noticed by connections which break.
 */
export class Sessions {
  readonly #pool: Pool;
  readonly #hosts: Hosts;
  readonly #statements: Statements;
  readonly #connections = new WeakMap<PoolClient, Connection>();

  constructor({ config: { hosts, ...config }, statements, most }: SessionsOptions) {
    this.#hosts = hosts;
    this.#statements = statements;
    const onConnect = (client: ClientBase) => requireWriter(client as Client);
    const limits = { max: most, idleTimeoutMillis: IDLE_MS, maxLifetimeSeconds: LIFETIME_SECONDS };
    this.#pool = new Pool({ ...config, ...limits, onConnect });
    // What becomes of a connection is told to whoever uses it, and to nobody else.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** How many pieces of work wait for a connection. */
  get waiting(): number {
    return this.#pool.waitingCount;
  }

  /** @throws whatever `work` throws; NoConnection */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    const known = this.#connections.get(client);
    const connection = known ?? { id: randomUUID(), units: 0 };
    if (known === undefined) this.#connections.set(client, connection);
    const session = new Session(client, this.#statements, connection);
    try {
      return await work(session);
    } finally {
      client.release(session.isBroken);
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  /** Tries each host once, beginning with the one that was reached last. */
  async #connect(): Promise<PoolClient> {
    const reasons: string[] = [];
    for (let left = this.#hosts.all.length; ; left -= 1) {
      const host = this.#hosts.current;
      try {
        Object.assign(this.#pool.options, host); // by which it makes its next connection
        return await this.#pool.connect();
      } catch (error) {
        reasons.unshift(connectionReason(error)); // the newest decides what kind of fault it is
        if (left === 1 || faultOf(error) === "busy") throw new NoConnection(reasons.join("; "), { cause: error });
        this.#hosts.passBy(host);
      }
    }
  }
}

/** @throws NoConnection when the server cannot be written to */
async function requireWriter(client: Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>(ONLY_READS);
  if (rows[0]?.transaction_read_only === "on") {
    throw new NoConnection(`${client.host}:${client.port} only reads, as a standby does`);
  }
}
