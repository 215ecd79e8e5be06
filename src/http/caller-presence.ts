import type { IncomingMessage, ServerResponse } from "node:http";
import type { CallContext } from "../contract/context.ts";
import { requireTime } from "../contract/in-time.ts";

/** Whether nobody waits for an answer any more, as far as this process has read. */
export function hasGone({ socket }: IncomingMessage, response: ServerResponse): boolean {
  return response.destroyed || socket.readableEnded;
}

/**
 * To be awaited before a call that changes something. A process that stood still reads a request first and that its caller has gone after it;
 * by then another process may have given him his answer.
 * @throws Problem upstream-timeout when the caller has gone, or waits no longer
 */
export async function requireCaller(ctx: CallContext): Promise<void> {
  await nextPoll();
  requireTime(ctx);
}

/** Resolves when the event loop has looked at its sockets once more: one turn later, after its poll. */
function nextPoll(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
