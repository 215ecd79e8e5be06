import { type Config, portFlag, portOf } from "../runtime/config.ts";
import { listeningServices } from "../runtime/modules.ts";

/** What keeps a server from listening: the system refuses the place, or nobody knows the name. */
export interface ListenFault extends NodeJS.ErrnoException {
  readonly syscall: "listen" | "getaddrinfo";
  readonly address?: string;
  readonly port?: number;
}

export function isListenFault(error: unknown): error is ListenFault {
  if (!(error instanceof Error) || !("syscall" in error)) return false;
  return (error.syscall === "listen" && "port" in error) || error.syscall === "getaddrinfo";
}

/** One line that names the setting to change. */
export function listenReason({ code, message, address, port, syscall }: ListenFault, config: Config): string {
  if (syscall === "getaddrinfo") return `HOST=${config.HOST}: this name cannot be resolved (${code}).`;
  if (code === "EADDRNOTAVAIL") return `HOST=${config.HOST}: this machine has no such address.`;
  const place = `${address}:${port}`;
  if (code !== "EADDRINUSE") return `Cannot listen on ${place}: ${message}`;
  const flags = listeningServices(config.SERVE)
    .filter((name) => portOf(config, name) === port)
    .map(portFlag);
  return `${place} is in use by another program; choose another ${flags.join(" or ")}.`;
}
