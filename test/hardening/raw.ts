import { once } from "node:events";
import { connect } from "node:net";

/** What came back over a socket that bytes were written to as they are. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether the server ended the connection by itself. */
  readonly closed: boolean;
  /** All that was received, interim answers too. */
  readonly text: string;
}

/** How long an answer may take, and how long a connection that stays open is watched for its end. */
const ANSWER_MS = 30_000;

/** What counts as without end. */
const ENDLESS_BYTES = 256 * 1024 * 1024;

/**
 * Writes bytes to a new connection and reads until the server closes it, or the first final answer is whole and the
 * connection stays open.
 * @param pieces written one after the other, each when the one before is out
 */
export async function sendRaw(origin: string, ...pieces: readonly (string | Buffer)[]): Promise<RawAnswer> {
  const { socket, received, ended, isClosed } = open(origin);
  const whole = new Promise<void>((resolve) => {
    socket.on("data", () => {
      const answer = parse(received().toString("latin1"));
      if (answer !== undefined && !willClose(answer)) resolve();
    });
  });
  await Promise.race([once(socket, "connect"), ended]);
  for (const piece of pieces) socket.write(piece);
  await Promise.race([whole, ended]);
  const closed = isClosed();
  socket.destroy();
  const text = received().toString();
  const answer = parse(received().toString("latin1"));
  if (answer === undefined) throw new Error(`no whole answer came, but ${JSON.stringify(text.slice(0, 500))}`);
  return { ...answer, body: Buffer.from(answer.body, "latin1").toString(), closed, text };
}

/**
 * Writes bytes to a new connection and reads until the server closes it.
 * @returns the statuses of what was answered, and whether it was the server that ended the connection
 */
export async function sendRawToEnd(origin: string, bytes: string): Promise<{ statuses: number[]; closed: boolean }> {
  const { socket, received, ended, isClosed } = open(origin);
  socket.write(bytes);
  await ended;
  const lines = received()
    .toString("latin1")
    .matchAll(/HTTP\/1\.1 (\d{3}) /g);
  return { statuses: Array.from(lines, ([, status]) => Number(status)), closed: isClosed() };
}

/**
 * Writes a head and then a body without end, in chunks of 64 KiB, for as long as the server takes it.
 * @returns the answer, and how many bytes left this process
 */
export async function flood(origin: string, head: string): Promise<RawAnswer & { readonly sentBytes: number }> {
  const { socket, received, ended } = open(origin);
  const size = 64 * 1024;
  const data = `${"x".repeat(size)}`;
  const piece = /transfer-encoding/i.test(head) ? `${size.toString(16)}\r\n${data}\r\n` : data;
  const more = () => {
    while (!socket.destroyed && socket.bytesWritten < ENDLESS_BYTES && socket.write(piece));
  };
  socket.write(head);
  socket.on("drain", more);
  more();
  await ended;
  const text = received().toString();
  const answer = parse(text);
  if (answer === undefined) throw new Error(`no answer came, but ${JSON.stringify(text)}`);
  return { ...answer, closed: true, text, sentBytes: socket.bytesWritten };
}

/** A connection of which all is kept that comes, a reset included: what was received before counts. It ends by itself once an answer takes too long. */
function open(origin: string) {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {});
  socket.once("end", () => {
    closed = true;
  });
  const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
  const ended = new Promise<void>((resolve) => {
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return { socket, ended, received: () => Buffer.concat(chunks), isClosed: () => closed };
}

/** A request with the headers that every one needs. */
export function request(line: string, headers: readonly string[] = [], body = ""): string {
  return `${line} HTTP/1.1\r\nHost: localhost\r\n${headers.map((header) => `${header}\r\n`).join("")}\r\n${body}`;
}

function willClose({ headers }: Pick<RawAnswer, "headers">): boolean {
  return headers.connection?.toLowerCase() === "close";
}

/** The first final answer in a text, when it is whole. */
function parse(text: string): Omit<RawAnswer, "closed" | "text"> | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = Number(line.split(" ")[1]);
  const rest = text.slice(end + 4);
  if (status < 200) return parse(rest);
  const headers = Object.fromEntries(lines.map((each) => headerOf(each)));
  const length = Number(headers["content-length"] ?? 0);
  return rest.length < length ? undefined : { status, headers, body: rest.slice(0, length) };
}

function headerOf(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
