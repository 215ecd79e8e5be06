import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { until } from "../support/process.ts";

/** As many gateways as there can be at once, those that end included. */
const PLACES = 16;

/** What stands before the gateways: an HAProxy, which keeps its connections to them as those to its clients. */
export interface Ingress {
  readonly url: string;
  /** Requests go to these from now on, in turn; who is not among them finishes what it has. */
  set(addresses: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder for its configuration and its socket @param port that of the gateways, and its own */
export async function startIngress(folder: string, address: string, port: number): Promise<Ingress> {
  const [file, socket] = [join(folder, "haproxy.cfg"), join(folder, "haproxy.sock")];
  await writeFile(file, configurationOf(socket, address, port));
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: ["ignore", "ignore", "pipe"] });
  const told = text(child.stderr);
  const places: (string | undefined)[] = Array(PLACES).fill(undefined);
  await until("HAProxy can be told", () => command(socket, "show info").then(Boolean, () => hasEnded(child))); // or has ended
  if (hasEnded(child)) throw new Error(`HAProxy has ended: ${await told}`);

  async function set(addresses: readonly string[]): Promise<void> {
    for (const one of addresses.filter((each) => !places.includes(each))) {
      const at = places.indexOf(undefined);
      if (at < 0) throw new Error(`no place is left for ${one}`);
      places[at] = one;
      await command(socket, `set server gateways/pod${at + 1} addr ${one} port ${port}`);
      await command(socket, `set server gateways/pod${at + 1} state ready`);
    }
    for (const [at, one] of places.entries()) {
      if (one !== undefined && !addresses.includes(one)) {
        places[at] = undefined;
        await command(socket, `set server gateways/pod${at + 1} state drain`);
      }
    }
  }

  return {
    url: `http://${address}:${port}`,
    set,
    async stop() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function configurationOf(socket: string, address: string, port: number): string {
  return `
global
  stats socket ${socket} level admin
defaults
  mode http
  timeout connect 5s
  timeout client 90s
  timeout server 90s
  timeout http-keep-alive 90s
frontend clients
  bind ${address}:${port}
  default_backend gateways
backend gateways
  balance roundrobin
  option forwardfor
  server-template pod 1-${PLACES} 127.0.0.1:9 disabled
`;
}

/** Resolves what it says. */
async function command(socket: string, line: string): Promise<string> {
  const connection = connect(socket);
  connection.end(`${line}\n`);
  return text(connection);
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
