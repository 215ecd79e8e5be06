import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../bus/simulation/random.ts";
import { untilReady } from "../support/process.ts";
import type { Replica, ReplicatedShop } from "../support/replicas.ts";
import type { Fault } from "./faults.ts";

/** How long a process stands still at the most: longer than a lease, a lock, a transaction that says nothing, and an answer may take. */
const MOST_STOPPED_MS = 18_000;

/** What can be done to a shop of replicas; others of the same may go on meanwhile. */
export interface ReplicaFaults {
  readonly faults: Readonly<Record<string, Fault>>;
  /** When the last of them did its harm, on the clock of `performance.now`. */
  lastHarmMs(): number;
  /** Resolves when the shop is whole again. @throws Error when one of its processes has ended by itself */
  whole(): Promise<void>;
}

/** @param mostStoppedMs how long a process stands still at the most */
export function replicaFaultsOf(
  shop: ReplicatedShop,
  { pick, integer }: Random,
  mostStoppedMs = MOST_STOPPED_MS,
): ReplicaFaults {
  /** What still stands, and goes on by itself. */
  const standing = new Map<Replica, Promise<void>>();
  let lastHarmMs = performance.now();
  const harmed = () => {
    lastHarmMs = performance.now();
  };

  function requireAlive(): void {
    const ended = shop.replicas.find(({ process }) => !process.running);
    if (ended === undefined) return;
    const { services, process } = ended;
    throw new Error(`${services} ${process.state} by itself, printed:\n${process.output()}`);
  }

  async function kill(): Promise<string> {
    requireAlive();
    const victim = pick([...shop.replicas, ...(shop.redis === undefined ? [] : ["redis" as const])]);
    harmed();
    if (victim === "redis") await shop.loseRedis();
    else await victim.process.kill();
    await sleep(integer(0, 1_000));
    if (victim === "redis") await shop.returnRedis();
    else await shop.restart(victim);
    return `kill ${victim === "redis" ? victim : victim.services}`;
  }

  /** A process stands still, as on a machine that does, while all else goes on: it may be killed meanwhile, or the other of its kind. */
  async function stop(): Promise<string> {
    requireAlive();
    const victim = pick(shop.replicas.filter((replica) => !standing.has(replica)));
    const { process: stopped } = victim;
    process.kill(stopped.pid, "SIGSTOP");
    harmed();
    const goOn = sleep(integer(0, mostStoppedMs)).then(() => {
      standing.delete(victim);
      if (!stopped.running) return;
      harmed();
      process.kill(stopped.pid, "SIGCONT");
    });
    standing.set(victim, goOn);
    return `stop ${victim.services}`;
  }

  async function postgres(): Promise<string> {
    requireAlive();
    harmed();
    await shop.postgres.kill();
    await sleep(integer(0, 1_000));
    await shop.postgres.start();
    return "kill postgres";
  }

  /** The primary dies, and its standby takes its place; then there is another standby. */
  async function failover(): Promise<string> {
    requireAlive();
    if (shop.pair === undefined) throw new Error("there is no standby");
    harmed();
    await shop.pair.killPrimary();
    await sleep(integer(0, 2_000));
    await shop.pair.promote();
    await sleep(integer(0, 2_000));
    await shop.pair.renewStandby();
    return "failover";
  }

  return {
    faults: { kill, stop, postgres, ...(shop.pair && { failover }) },
    lastHarmMs: () => lastHarmMs,
    async whole() {
      await Promise.all(standing.values());
      await Promise.all(shop.replicas.map(({ url, process }) => untilReady(url, [process])));
      requireAlive();
    },
  };
}
