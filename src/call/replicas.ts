import type { Addresses } from "./addresses.ts";
import { type Breaker, type BreakerState, createBreaker } from "./breaker.ts";
import type { SendFlight } from "./queue.ts";
import type { Transport, TransportAnswer, TransportRequest } from "./transport.ts";

/** How often one that was left aside is asked whether it is ready again, and how long it may take to say so. */
const LOOK_EVERY_MS = 250;
const LOOK_TIMEOUT_MS = 1_000;

/** How long the connections to one that has gone are kept: longer than any call. */
const KEPT_MS = 90_000;

const READINESS = { method: "GET", path: "/readyz", headers: {}, body: undefined } as const;

/** One of the processes that serve a module, as a caller knows it. */
interface Replica {
  breaker: Breaker;
  readonly transport: Transport;
  readonly send: SendFlight;
  /** Since when it is left aside; undefined while it is called in its turn. */
  asideSinceMs: number | undefined;
  looking: NodeJS.Timeout | undefined;
}

export interface ReplicasOptions {
  readonly addresses: Addresses;
  readonly connect: (origin: string) => Transport;
  /** Makes what sends calls over the connections to one of them. */
  readonly sender: (transport: Pick<Transport, "send">) => SendFlight;
}

/**
 * The replicas of a module, called in turn. One that fails, or says that it is about to stop, is left aside until it answers that it is
 * ready; where all are, the one that is for longest is called.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #known = new Map<string, Replica>();
  /** Those that are called no more, and may have something under way. */
  readonly #gone = new Set<Replica>();
  #turn = 0;
  #closed = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#present().catch(() => undefined); // those who watch the breakers see them before the first call
  }

  /** How many there are, as far as is known. */
  get count(): number {
    return Math.max(1, this.#known.size);
  }

  /** Sends calls to the next of them. See `SendFlight`. */
  readonly send: SendFlight = async (calls, signal) => {
    const replica = this.#next(await this.#present());
    const startedAtMs = performance.now();
    try {
      await replica.breaker.execute(() => replica.send(calls, signal));
      if (replica.asideSinceMs !== undefined && replica.asideSinceMs < startedAtMs) this.#takeBack(replica);
    } catch (error) {
      this.#leaveAside(replica);
      throw error;
    }
  };

  /** Whether calls get through to each, by its address. */
  breakers(): ReadonlyMap<string, BreakerState> {
    return new Map(Array.from(this.#known, ([origin, { breaker }]) => [origin, breaker.state()]));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#known.values(), ...this.#gone].map((replica) => this.#end(replica)));
  }

  /** Those that there are now: whoever has come is called from now on, whoever has gone no more. */
  async #present(): Promise<readonly Replica[]> {
    const origins = await this.#options.addresses();
    if (this.#closed) throw new Error("this client is closed");
    for (const origin of origins) if (!this.#known.has(origin)) this.#known.set(origin, this.#create(origin));
    if (this.#known.size > origins.length) {
      for (const [origin, replica] of this.#known) if (!origins.includes(origin)) this.#forget(origin, replica);
    }
    return [...this.#known.values()];
  }

  #next(all: readonly Replica[]): Replica {
    this.#turn = (this.#turn + 1) % all.length;
    const inTurn = [...all.slice(this.#turn), ...all.slice(0, this.#turn)];
    const next = inTurn.find(({ asideSinceMs }) => asideSinceMs === undefined) ?? longestAside(inTurn);
    if (next === undefined) throw new Error("there is no address");
    return next;
  }

  #create(origin: string): Replica {
    const transport = this.#options.connect(origin);
    const send = async (request: TransportRequest) => {
      const answer = await transport.send(request);
      if (isStopping(answer)) this.#leaveAside(replica);
      return answer;
    };
    const replica: Replica = {
      transport,
      breaker: createBreaker(),
      send: this.#options.sender({ send }),
      asideSinceMs: undefined,
      looking: undefined,
    };
    return replica;
  }

  /** Where there is no other, nothing is gained by asking. */
  #leaveAside(replica: Replica): void {
    replica.asideSinceMs = performance.now();
    if (replica.looking === undefined && this.#known.size > 1) this.#lookLater(replica);
  }

  #lookLater(replica: Replica): void {
    replica.looking = setTimeout(() => void this.#look(replica), LOOK_EVERY_MS).unref();
  }

  async #look(replica: Replica): Promise<void> {
    const isReady = await askReadiness(replica.transport).catch(() => false);
    if (replica.looking === undefined) return; // it has gone, or has been taken back
    if (!isReady) return this.#lookLater(replica);
    replica.breaker = createBreaker(); // what it was before is no reason to leave it alone
    this.#takeBack(replica);
  }

  #takeBack(replica: Replica): void {
    clearTimeout(replica.looking);
    replica.looking = undefined;
    replica.asideSinceMs = undefined;
  }

  #forget(origin: string, replica: Replica): void {
    this.#known.delete(origin);
    this.#gone.add(replica);
    setTimeout(() => void this.#end(replica), KEPT_MS).unref();
  }

  #end(replica: Replica): Promise<void> {
    this.#gone.delete(replica);
    this.#takeBack(replica);
    return replica.transport.close();
  }
}

function longestAside(replicas: readonly Replica[]): Replica | undefined {
  const able = replicas.filter(({ breaker }) => breaker.state() !== "open");
  const since = ({ asideSinceMs = 0 }: Replica) => asideSinceMs;
  return (able.length > 0 ? able : replicas).toSorted((one, other) => since(one) - since(other))[0];
}

/** Who is about to stop says so with each answer; so does who refuses for another reason, and is soon asked again. */
function isStopping(answer: TransportAnswer): boolean {
  return answer.header("connection")?.toLowerCase() === "close";
}

async function askReadiness({ send }: Transport): Promise<boolean> {
  const answer = await send({ ...READINESS, signal: AbortSignal.timeout(LOOK_TIMEOUT_MS) });
  for await (const _ of answer.body); // to its end, so that the connection is used again
  return answer.status === 200;
}
