import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createTurns } from "../../../base/turns.ts";
import { isClosing } from "../../environment-fault.ts";
import { sql } from "../../sql.ts";
import type { Store } from "../../store.ts";

/** How long a lease lasts when nobody says that it goes on: its process may be gone. */
const LEASE_MS = 5_000;
const RENEW_MS = 1_500;

/** How often whoever waits for one looks. */
const LOOK_MS = 500;

/**
 * Who does what one process at a time does. A row of the database names him, until a time by the server's clock. It spares others the
 * work; what may not be done twice is fenced where it is done: numbers are given under the head's lock, and cursors only go forward.
 */
export class Leases {
  readonly #read: Store["read"];
  readonly #write: Store["write"];
  readonly #owner = randomUUID();
  readonly #inTurn = createTurns();
  readonly #closing = new AbortController();

  constructor({ read, write }: Pick<Store, "read" | "write">) {
    this.#read = read;
    this.#write = write;
  }

  /** See `Store.lease`. */
  readonly hold: Store["lease"] = (role, work) =>
    this.#inTurn(role, async () => {
      const until = await this.#wait(role);
      const lost = new AbortController();
      const ended = new AbortController();
      const renewing = this.#renew(role, until, lost, ended.signal);
      try {
        await work(AbortSignal.any([lost.signal, this.#closing.signal]));
      } finally {
        ended.abort();
        await renewing;
        if (!this.#closing.signal.aborted) await this.#release(role);
      }
    });

  /** The store closes: who does something is told, and others may begin. */
  async end(): Promise<void> {
    this.#closing.abort();
    await this.#write((unit) => unit.run(sql`DELETE FROM leases WHERE owner = ${this.#owner}`)).catch(() => undefined);
  }

  /** Until it has the lease. @returns until when, as milliseconds of `performance.now` @throws Problem draining */
  async #wait(role: string): Promise<number> {
    for (;;) {
      if (this.#closing.signal.aborted) throw isClosing();
      const until = await this.#takeIfFree(role).catch(() => undefined); // the server may be away
      if (until !== undefined) return until;
      await sleep(LOOK_MS, undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  /** Who waits looks before he tries: that costs a fraction of a transaction which writes. @returns as `#take` */
  async #takeIfFree(role: string): Promise<number | undefined> {
    const held = sql`SELECT 1 FROM leases WHERE role = ${role} AND owner <> ${this.#owner} AND until >= clock_timestamp()`;
    return (await this.#read((reading) => reading.get(held))) === undefined ? this.#take(role) : undefined;
  }

  /** Takes it, or keeps it. @returns until when, undefined when it is another's */
  async #take(role: string): Promise<number | undefined> {
    const until = performance.now() + LEASE_MS;
    const taken = await this.#write((unit) =>
      unit.run(sql`INSERT INTO leases (role, owner, until)
        VALUES (${role}, ${this.#owner}, clock_timestamp() + make_interval(secs => ${LEASE_MS / 1_000}))
        ON CONFLICT (role) DO UPDATE SET owner = excluded.owner, until = excluded.until
        WHERE leases.owner = excluded.owner OR leases.until < clock_timestamp()`),
    );
    return taken === 0 ? undefined : until;
  }

  async #renew(role: string, until: number, lost: AbortController, ended: AbortSignal): Promise<void> {
    const isOver = () => ended.aborted || this.#closing.signal.aborted;
    for (let heldUntil = until; !isOver(); ) {
      await sleep(RENEW_MS, undefined, { ref: false, signal: ended }).catch(() => undefined);
      if (isOver()) return;
      const renewed = this.#take(role).catch(() => heldUntil); // as long as it lasts, the server may come back
      const expired = sleep(Math.max(0, heldUntil - performance.now()), undefined, { ref: false, signal: ended }).catch(
        () => undefined,
      );
      const next = await Promise.race([renewed, expired]);
      if (next === undefined || next <= performance.now()) {
        if (!isOver()) lost.abort();
        return;
      }
      heldUntil = next;
    }
  }

  async #release(role: string): Promise<void> {
    await this.#write((unit) =>
      unit.run(sql`DELETE FROM leases WHERE role = ${role} AND owner = ${this.#owner}`),
    ).catch(() => undefined); // it runs out
  }
}
