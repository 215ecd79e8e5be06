import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { LINGER_BYTES, LINGER_MS } from "../call/limits.ts";

/**
 * A connection that is closed while its client still sends gets reset, and the reset may reach the client before it
 * has read the answer. So the closing, which Node does with `destroySoon` once the answer is out and in no other way, says at
 * once that nothing more will come, and the connection goes away a moment later. Until then it drops what the client sends, up
 * to a limit, from which on the client cannot send but still read.
 */
export function lingerOnClose(req: IncomingMessage): void {
  const { socket } = req;
  let dropped = 0;
  req.on("data", (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > LINGER_BYTES) req.pause();
  });
  socket.destroySoon = () => {
    const close = () => Socket.prototype.destroySoon.call(socket);
    if (req.complete || req.destroyed) return close();
    socket.end();
    const timer = setTimeout(close, LINGER_MS).unref();
    req.once("close", () => {
      clearTimeout(timer);
      close();
    });
  };
}
