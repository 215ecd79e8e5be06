import type { IncomingMessage } from "node:http";
import { isIP, SocketAddress } from "node:net";

const MAPPED = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** An address as proxies write it: also with a port, an IPv6 address then in brackets. */
const WITH_PORT = /^(?:(\d+\.\d+\.\d+\.\d+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/**
 * The address by which a client that is not signed in is told from others.
 * @param trustedProxies how many hops in front of us are ours: each adds to `X-Forwarded-For`, on the right, the
 *   address it saw, and what stands to the left of theirs is the client's own word
 * @returns an IPv4 address, also where it came mapped into IPv6, or the /64 network of an IPv6 address, since one client has
 *   all of that at its disposal
 */
export function clientAddress(req: IncomingMessage, trustedProxies: number): string {
  const socketAddress = req.socket.remoteAddress ?? "unknown";
  const forwarded = trustedProxies === 0 ? undefined : req.headers["x-forwarded-for"];
  return groupOf(
    forwarded === undefined ? socketAddress : seenByProxies(String(forwarded), socketAddress, trustedProxies),
  );
}

/** Goes from proxy to proxy, as far as they are ours and wrote an address. */
function seenByProxies(forwarded: string, socketAddress: string, trustedProxies: number): string {
  let address = socketAddress;
  for (const entry of forwarded.split(",").slice(-trustedProxies).reverse()) {
    const text = entry.trim();
    const [, v4, v6] = WITH_PORT.exec(text) ?? [];
    const seen = v4 ?? v6 ?? text;
    if (isIP(seen) === 0) break;
    address = seen;
  }
  return address;
}

function groupOf(address: string): string {
  if (!address.includes(":")) return address;
  const [withoutZone = ""] = address.split("%");
  const canonical = new SocketAddress({ address: withoutZone, family: "ipv6" }).address;
  const mapped = MAPPED.exec(canonical)?.[1];
  return mapped ?? `${networkOf(canonical)}::/64`;
}

/** The first four of the eight groups, of which `::` may stand for any. */
function networkOf(address: string): string {
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const rest = tail === "" ? [] : tail.split(":");
    while (groups.length + rest.length < 8) groups.push("0");
    groups.push(...rest);
  }
  return groups.slice(0, 4).join(":");
}
