import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const PORT = 53;
const A = 1;
const NO_SUCH_NAME = 0x8583;
const ANSWER = 0x8580;
const TTL_S = 5;

/** A cluster's DNS: a name has the addresses of all that are ready behind it. */
export interface ClusterNames {
  set(name: string, addresses: readonly string[]): void;
  stop(): void;
}

/** Answers questions for addresses of version 4, at port 53. @param address where it listens */
export async function startClusterNames(address: string): Promise<ClusterNames> {
  const known = new Map<string, readonly string[]>();
  const socket: Socket = createSocket("udp4");
  socket.on("message", (query, { port, address: asker }) => socket.send(answerTo(query, known), port, asker));
  socket.bind(PORT, address);
  await once(socket, "listening");
  return {
    set: (name, addresses) => known.set(name, addresses),
    stop: () => socket.close(),
  };
}

/** RFC 1035: the head, the question again, and a record for each address, whose name is a pointer to that of the question. */
function answerTo(query: Buffer, known: ReadonlyMap<string, readonly string[]>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const found = known.get(labels.join(".").toLowerCase());
  const addresses = query.readUInt16BE(at + 1) === A ? (found ?? []) : [];
  const head = Buffer.alloc(12);
  query.copy(head, 0, 0, 2); // its number
  head.writeUInt16BE(found === undefined ? NO_SUCH_NAME : ANSWER, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, 12, 0, A, 0, 1, 0, 0, 0, TTL_S, 0, 4, ...address.split(".").map(Number)]),
  );
  return Buffer.concat([head, question, ...records]);
}
