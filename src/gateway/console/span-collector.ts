import { type SpanBatch, spanBatch } from "../../telemetry/span-record.ts";
import type { SpanRing } from "./span-ring.ts";

/** Takes in what processes broadcast, and keeps account of what was lost on the way. */
export interface SpanCollector {
  /** @param message anything: what is not a batch of spans is ignored */
  take(message: unknown): void;
  /** How many spans never arrived, as far as is known. */
  lost(): number;
}

/** The processes that are kept account of; each restart is a new one. */
const MAX_PROCESSES = 100;

export function createSpanCollector(ring: SpanRing): SpanCollector {
  /** What a process had sent and dropped by its last batch. */
  const accounts = new Map<string, { sent: number; dropped: number }>();
  let lost = 0;

  function account({ process, sent, dropped, spans }: SpanBatch): void {
    const last = accounts.get(process) ?? { sent, dropped };
    lost += Math.max(0, sent - last.sent) + Math.max(0, dropped - last.dropped);
    accounts.delete(process);
    accounts.set(process, { sent: sent + spans.length, dropped });
    const [oldest] = accounts.keys();
    if (accounts.size > MAX_PROCESSES && oldest !== undefined) accounts.delete(oldest);
  }

  return {
    take(message) {
      const { data: batch } = spanBatch.safeParse(message);
      if (batch === undefined || batch.spans.length === 0) return;
      account(batch);
      ring.add(batch.spans);
    },
    lost: () => lost,
  };
}
