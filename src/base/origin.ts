import { isIPv6 } from "node:net";

/** The origin of an address and a port, as URLs have it. */
export function originOf(host: string, port: number): string {
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

/** Where a service of this machine is called that listens on this address: "all addresses" is none that can be called. */
export function reachableUrl(host: string, port: number): string {
  return originOf(["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host, port);
}
