import { assertClosed, assertProblem, type Expected, fail } from "./expectations.ts";
import { flood, request, sendRaw, sendRawToEnd } from "./raw.ts";
import { type Row, tryAll } from "./row.ts";
import type { Door, Target } from "./target.ts";

/** Of a shop that waits for a few seconds only, where no other row is to be tried: a busy machine is slow, too. */
export const slownessRow: Row = {
  input: "headers, or a body, slower than their time",
  answer: "408 request-timeout",
  async run({ doors, api }) {
    const ways = doors.flatMap((door) => slow(door).map((bytes) => ({ door, bytes })));
    await Promise.all(
      ways.map(async ({ door: { name, url }, bytes }) => {
        const answer = await sendRaw(url, bytes);
        assertProblem(name, answer, "408 request-timeout");
        assertClosed(name, answer);
      }),
    );
    const alive = await api.get("/readyz");
    if (alive.status !== 200) fail("afterwards", "200", alive);
    return ways.length;
  },
};

/** Rows on HTTP messages themselves: each is sent, as bytes, to every door. */
export const messageRows: readonly Row[] = [
  {
    input: "two readings of one message; Host: a:b@c; a target elsewhere",
    answer: "400 malformed-request, closed",
    run: (target) =>
      atEveryDoor(target, ambiguous, async (what, door, bytes) => {
        const answer = await sendRaw(door.url, bytes);
        assertProblem(what, answer, "400 malformed-request");
        assertClosed(what, answer);
      }),
  },
  {
    input: "a method that nobody knows; no Host header",
    answer: "400 malformed-request, which says so",
    run: ({ doors }) =>
      tryAll(doors, async ({ name, url }) => {
        const unknown = await sendRaw(url, request("FOO /livez"));
        assertProblem(name, unknown, "400 malformed-request");
        if (!unknown.body.includes("a method of HTTP that is known here")) fail(name, "the method is named", unknown);
        const hostless = await sendRaw(url, "GET /livez HTTP/1.1\r\n\r\n");
        assertProblem(name, hostless, "400 malformed-request");
        if (!hostless.body.includes("There is no Host header.")) fail(name, "the header is named", hostless);
      }),
  },
  {
    input: "a fault after a good request on the same connection",
    answer: "the good one's answer, then closed",
    run: ({ doors }) =>
      tryAll(doors, async ({ name, url }) => {
        const answer = await sendRaw(url, `${request("GET /livez")}NONSENSE\r\n\r\n`);
        if (answer.status !== 200) fail(name, "200", answer);
        assertClosed(name, answer);
        if (answer.text.split("HTTP/1.1 ").length !== 2) fail(name, "one answer", answer);
      }),
  },
  {
    input: "a fault in the body of the second of two requests sent at once",
    answer: "the first one's answer, 400 for the second, then closed",
    run: ({ doors }) =>
      tryAll(doors, async ({ name, url, write }) => {
        const broken = request(`POST ${write.path}`, [...bearer(write.token), JSON_TYPE, "Transfer-Encoding: chunked"]);
        const answered = await sendRawToEnd(url, `${request("GET /livez")}${broken}ZZ\r\n`);
        const told = JSON.stringify(answered);
        if (told !== '{"statuses":[200,400],"closed":true}') throw new Error(`${name}: ${told}`);
      }),
  },
  {
    input: "headers over 16 KiB: one large, very many, a long target",
    answer: "431 header-too-large",
    run: (target) =>
      atEveryDoor(target, tooLarge, async (what, door, bytes) => {
        const answer = await sendRaw(door.url, bytes);
        assertProblem(what, answer, "431 header-too-large");
        assertClosed(what, answer);
      }),
  },
  {
    input: "a body over 100 KiB, announced or chunked",
    answer: "413, without reading it all",
    run: (target) =>
      atEveryDoor(target, endless, async (what, door, { head, expected }) => {
        const answer = await flood(door.url, head);
        assertProblem(what, answer, expected);
        if (answer.sentBytes > BOUND_BYTES) fail(what, `less than ${BOUND_BYTES} bytes read`, answer);
      }),
  },
  {
    input: "an endless body that nobody wants: no route, no token, no method",
    answer: "the answer at once, then closed",
    run: (target) =>
      atEveryDoor(target, unwanted, async (what, door, { head, expected }) => {
        const answer = await flood(door.url, head);
        if (answer.status !== Number(expected.split(" ")[0])) fail(what, expected, answer);
        if (answer.sentBytes > BOUND_BYTES) fail(what, `less than ${BOUND_BYTES} bytes read`, answer);
      }),
  },
  {
    input: "Expect: 100-continue before a body that is refused, or taken",
    answer: "refused unsent · asked for",
    async run({ doors }) {
      return tryAll(doors, async ({ name, url, write }) => {
        const head = (length: number) =>
          request(`POST ${write.path}`, [
            ...bearer(write.token),
            JSON_TYPE,
            `Content-Length: ${length}`,
            "Expect: 100-continue",
          ]);
        const refused = await sendRaw(url, head(200_000));
        assertProblem(name, refused, "413 payload-too-large");
        if (/100 Continue/i.test(refused.text)) fail(name, "no 100 Continue", refused);
        const taken = await sendRaw(url, head(2), "{}");
        assertProblem(name, taken, "422 validation-failed");
        if (!/100 Continue/i.test(taken.text)) fail(name, "100 Continue", taken);
      });
    },
  },
  {
    input: "TRACE, CONNECT, Upgrade, a known path with another method",
    answer: "405 + Allow · 400 · ignored",
    run: ({ doors }) =>
      tryAll(doors, async ({ name, url, write }) => {
        for (const method of ["TRACE", "PUT", "DELETE", "PROPFIND"]) {
          const answer = await sendRaw(url, request(`${method} ${write.path}`));
          assertProblem(`${name} ${method}`, answer, "405 method-not-allowed");
          if (!answer.headers.allow?.includes("POST")) fail(`${name} ${method}`, "POST in Allow", answer);
        }
        const tunnel = await sendRaw(url, request("CONNECT evil.example:443"));
        assertProblem(`${name} CONNECT`, tunnel, "400 malformed-request");
        for (const protocol of ["websocket", "h2c"]) {
          const upgrade = ["Connection: Upgrade", `Upgrade: ${protocol}`, "Sec-WebSocket-Key: eA=="];
          const answer = await sendRaw(url, request("GET /livez", upgrade));
          if (answer.status !== 200) fail(`${name} ${protocol}`, "200", answer);
        }
      }),
  },
];

/** What may leave a client before it must be stopped: what is read, what lingers, and the buffers of both systems. */
const BOUND_BYTES = 24 * 1024 * 1024;

const JSON_TYPE = "Content-Type: application/json";

function bearer(token: string | undefined): string[] {
  return token === undefined ? [] : [`Authorization: Bearer ${token}`];
}

async function atEveryDoor<T>(
  { doors }: Target,
  waysOf: (door: Door) => Readonly<Record<string, T>>,
  attempt: (what: string, door: Door, way: T) => Promise<void>,
): Promise<number> {
  const all = doors.flatMap((door) => Object.entries(waysOf(door)).map(([name, way]) => ({ door, name, way })));
  await Promise.all(all.map(({ door, name, way }) => attempt(`${name} at ${door.name}`, door, way)));
  return all.length;
}

function ambiguous({ write }: Door): Readonly<Record<string, Buffer>> {
  const post = (...headers: readonly string[]) =>
    request(`POST ${write.path}`, [...bearer(write.token), JSON_TYPE, ...headers]);
  const get = (...headers: readonly string[]) => request("GET /livez", headers);
  const messages = {
    "Content-Length with Transfer-Encoding": `${post("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    "Transfer-Encoding with Content-Length": `${post("Transfer-Encoding: chunked", "Content-Length: 4")}0\r\n\r\n`,
    "two lengths": `${post("Content-Length: 2", "Content-Length: 3")}{}`,
    "the same length twice": `${post("Content-Length: 2", "Content-Length: 2")}{}`,
    "a list of lengths": `${post("Content-Length: 2, 2")}{}`,
    "a length with a sign": `${post("Content-Length: +2")}{}`,
    "another coding": `${post("Transfer-Encoding: gzip, chunked")}0\r\n\r\n`,
    "a coding nearly chunked": post("Transfer-Encoding: xchunked"),
    "a coding that is none": `${post("Transfer-Encoding: identity")}0\r\n\r\n`,
    "a coding twice": `${post("Transfer-Encoding: chunked, chunked")}0\r\n\r\n`,
    "a coding that is empty": `${post("Transfer-Encoding:")}0\r\n\r\n`,
    "a coding with a parameter": `${post("Transfer-Encoding: chunked;q=1")}0\r\n\r\n`,
    "a coding in two headers": `${post("Transfer-Encoding: gzip", "Transfer-Encoding: chunked")}0\r\n\r\n`,
    "a coding after a control": `${post("Transfer-Encoding: \x0bchunked")}0\r\n\r\n`,
    "a length that is empty": `${post("Content-Length:")}{}`,
    "a length in hexadecimal": `${post("Content-Length: 0x2")}{}`,
    "a length beyond all numbers": `${post("Content-Length: 99999999999999999999")}{}`,
    "a length with a space": `${post("Content-Length: 1 2")}{}`,
    "a length below nothing": `${post("Content-Length: -2")}{}`,
    "HTTP/1.0 with a coding": `${asHttp10(post("Transfer-Encoding: chunked"))}2\r\n{}\r\n0\r\n\r\n`,
    "HTTP/1.0 with a coding, kept alive": `${asHttp10(post("Transfer-Encoding: chunked", "Connection: keep-alive"))}0\r\n\r\n`,
    "HTTP/1.0 with a coding where nothing is expected": `${asHttp10(get("Transfer-Encoding: chunked"))}0\r\n\r\n`,
    "a broken chunk": `${post("Transfer-Encoding: chunked")}ZZ\r\n{}\r\n0\r\n\r\n`,
    "a chunk's bare LF": `${post("Transfer-Encoding: chunked")}2\n{}\r\n0\r\n\r\n`,
    "a chunk's length beyond all numbers": `${post("Transfer-Encoding: chunked")}FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n`,
    "HTTP/1.0 with a coding and a length": `${asHttp10(post("Transfer-Encoding: chunked", "Content-Length: 2"))}{}`,
    "HTTP/2.0 on a text line": "GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": "GET /livez\r\n\r\n",
    "a version without a point": "GET /livez HTTP/1\r\nHost: localhost\r\n\r\n",
    "bare LF": "GET /livez HTTP/1.1\nHost: localhost\n\n",
    "bare LF after a header": "GET /livez HTTP/1.1\r\nHost: localhost\nX-A: b\r\n\r\n",
    "bare CR": "GET /livez HTTP/1.1\r\nHost: localhost\rX-A: b\r\n\r\n",
    "obs-fold": get("X-A: b\r\n c"),
    "Name :": get("X-A : b"),
    "a space before a name": "GET /livez HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "NUL in a header": get("X-A: a\0b"),
    "two Host headers": get("Host: localhost"),
    "no Host header": "GET /livez HTTP/1.1\r\n\r\n",
    "Host: a:b@c": "GET /livez HTTP/1.1\r\nHost: a:b@c\r\n\r\n",
    "an empty Host": "GET /livez HTTP/1.1\r\nHost: \r\n\r\n",
    "two tokens": get("Authorization: Bearer a", "Authorization: Bearer b"),
    "an absolute target elsewhere": request("GET http://evil.example/livez"),
    "a target of another scheme": request("GET ftp://localhost/livez"),
    "a space in the target": request("GET /livez /x"),
    "a later version": "GET /livez HTTP/3.0\r\nHost: localhost\r\n\r\n",
    "HTTP/2 without asking": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS on a plain port": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
  };
  return Object.fromEntries(Object.entries(messages).map(([name, text]) => [name, Buffer.from(text, "latin1")]));
}

function asHttp10(text: string): string {
  return text.replace(" HTTP/1.1\r\n", " HTTP/1.0\r\n");
}

function tooLarge(): Readonly<Record<string, string>> {
  const many = (count: number) => Array.from({ length: count }, (_, at) => `X-${at}: ${at}`);
  return {
    "one large header": request("GET /livez", [`X-Large: ${"x".repeat(17 * 1024)}`]),
    "very many headers": request("GET /livez", many(1_500)),
    "very many empty headers": request("GET /livez", Array(6_000).fill("a:")),
    "a long target": request(`GET /${"x".repeat(17 * 1024)}`),
    "a long query": request(`GET /livez?${"x".repeat(17 * 1024)}`),
  };
}

function slow({ write }: Door): readonly string[] {
  const post = [...bearer(write.token), JSON_TYPE];
  return [
    "GET /livez HTTP/1.1\r\nHost: local",
    `${request(`POST ${write.path}`, [...post, "Content-Length: 20"])}{"email`,
    `${request(`POST ${write.path}`, [...post, "Transfer-Encoding: chunked"])}2\r\n{}\r\n`,
  ];
}

interface Endless {
  readonly head: string;
  readonly expected: Expected;
}

function endless({ write }: Door): Readonly<Record<string, Endless>> {
  const head = (length: string) => request(`POST ${write.path}`, [...bearer(write.token), JSON_TYPE, length]);
  const expected = "413 payload-too-large";
  return {
    "a gigabyte, announced": { head: head("Content-Length: 1073741824"), expected },
    "a gigabyte, chunked": { head: head("Transfer-Encoding: chunked"), expected },
  };
}

function unwanted({ name, write }: Door): Readonly<Record<string, Endless>> {
  const head = (line: string) => request(line, [JSON_TYPE, "Transfer-Encoding: chunked"]);
  const protectedPath =
    name === "products" ? "POST /products" : name === "users" ? "POST /users/me/password" : "POST /orders";
  return {
    "no route": { head: head("POST /nothing"), expected: "404 not-found" },
    "no such method": { head: head(`PUT ${write.path}`), expected: "405 method-not-allowed" },
    "no token": { head: head(protectedPath), expected: "401 unauthenticated" },
    "no body expected": { head: head("GET /livez"), expected: "200 ok" },
  };
}
