import { expect } from "chai";
import { toCurl } from "../../console/src/model/curl.ts";
import { readEvents } from "../../console/src/model/events.ts";
import { excerptOf } from "../../console/src/model/excerpt.ts";
import { formatBytes, formatMs, formatOffset, formatUptime } from "../../console/src/model/format.ts";
import { MASK, maskSecrets, maskSecretsInText } from "../../console/src/model/mask.ts";
import { readSpans } from "../../console/src/model/span.ts";
import { createSseReader, type SseMessage } from "../../console/src/model/sse.ts";
import { describeGroups, groupByProcess, type Status, unreachable } from "../../console/src/model/topology.ts";
import { createDeadLetters } from "../../console/src/store/dead-letters.ts";
import { createKnowledge } from "../../console/src/store/known.ts";
import { createRequests } from "../../console/src/store/requests.ts";
import { createSessions } from "../../console/src/store/session.ts";
import { createStatusPoll } from "../../console/src/store/status-poll.ts";
import fourProcesses from "./recorded/four-processes.json" with { type: "json" };

/** Sessions of a page on which nobody is signed in. */
const nobody = createSessions(() => Promise.reject(new Error("nobody signs in here")));

describe("console: server-sent events", () => {
  const text =
    "retry: 1000\n\nid: 1\nevent: hello\ndata: {}\n\n: still here\n\nid: 2\r\ndata: a\r\ndata: b\r\n\r\ndata: c\n\n";
  const expected = [
    { id: "1", event: "hello", data: "{}" },
    { id: "2", event: "message", data: "a\nb" },
    { id: "2", event: "message", data: "c" },
  ];

  it("are read whole, however the text is cut", () => {
    for (let size = 1; size <= text.length; size += 1) {
      const messages: SseMessage[] = [];
      let comments = 0;
      const take = createSseReader(
        (message) => messages.push(message),
        () => {
          comments += 1;
        },
      );
      for (let at = 0; at < text.length; at += size) take(text.slice(at, at + size));
      expect(messages, `pieces of ${size}`).to.deep.equal(expected);
      expect(comments).to.equal(1);
    }
  });

  it("wait until they are complete", () => {
    const messages: SseMessage[] = [];
    createSseReader((message) => messages.push(message))("id: 1\ndata: x\n");
    expect(messages).to.deep.equal([]);
  });
});

describe("console: secrets", () => {
  it("are masked wherever they lie", () => {
    const masked = maskSecrets({
      user: { name: "Ada", password: "p" },
      token: "t",
      token_type: "Bearer",
      list: [{ refresh_token: "r", new_password: "n" }],
    });
    expect(masked).to.deep.equal({
      user: { name: "Ada", password: MASK },
      token: MASK,
      token_type: "Bearer",
      list: [{ refresh_token: MASK, new_password: MASK }],
    });
  });

  it("are masked in a text that is no valid JSON", () => {
    const broken = `{"email": "a@example.com", "password": "it's \\"p\\"", "refresh_token": "r",}`;
    expect(maskSecretsInText(broken)).to.equal(
      `{"email": "a@example.com", "password": "${MASK}", "refresh_token": "${MASK}",}`,
    );
    expect(maskSecretsInText(`{"password": "no end\n}`)).to.equal(`{"password": "${MASK}"\n}`);
  });

  it("do not get into a curl command", () => {
    const body = JSON.stringify({ email: "a@example.com", password: `it's "secret"` });
    const command = toCurl("http://127.0.0.1:8000", { method: "POST", path: "/users/login", body, as: "Ada" });
    expect(command).to.equal(
      `curl -i -X POST 'http://127.0.0.1:8000/users/login' \\\n  -H "Authorization: Bearer $TOKEN" \\\n` +
        `  -H 'Content-Type: application/json' \\\n  -d '{"email":"a@example.com","password":"${MASK}"}'`,
    );
  });
});

describe("console: frames", () => {
  const module = (name: string, placement: "in-process" | "remote") => ({
    name,
    port: 1,
    placement,
    status: "running" as const,
    latency_ms: 0,
    detail: null,
  });
  const status = (kind: "memory" | "redis", remote: readonly string[], processes?: Status["processes"]): Status => ({
    topology: "",
    modules: ["gateway", "users", "products", "orders"].map((name) =>
      module(name, remote.includes(name) ? "remote" : "in-process"),
    ),
    bus: { kind, status: "running" },
    ...(processes === undefined ? {} : { processes }),
  });

  it("enclose all in one process, and its bus", () => {
    const shared = { gateway: "vm:7", users: "vm:7", products: "vm:7", orders: "vm:7" };
    const groups = groupByProcess(status("memory", [], shared));
    expect(groups).to.deep.equal([
      { process: "vm:7", services: ["gateway", "users", "orders", "products"], holdsBus: true },
    ]);
    expect(describeGroups(groups)).to.equal("one process, pid 7");
  });

  it("enclose each of four, and leave Redis outside", () => {
    const apart = { gateway: "a:7", users: "b:7", products: "c:7", orders: "d:7" };
    const groups = groupByProcess(status("redis", ["users", "products", "orders"], apart));
    expect(groups.map(({ services }) => services)).to.deep.equal([["gateway"], ["users"], ["orders"], ["products"]]);
    expect(groups.every(({ holdsBus }) => !holdsBus)).to.equal(true);
    expect(describeGroups(groups)).to.equal("4 processes");
  });

  it("follow any split", () => {
    const split = { gateway: "vm:1", orders: "vm:1", users: "vm:2", products: "vm:2" };
    const groups = groupByProcess(status("redis", ["users", "products"], split));
    expect(groups.map(({ services }) => services)).to.deep.equal([
      ["gateway", "orders"],
      ["users", "products"],
    ]);
  });

  it("are kept for a process that does not answer any more", () => {
    const now = status("redis", ["users", "products"], { gateway: "vm:1", orders: "vm:1" });
    const groups = groupByProcess(now, { users: "vm:2", products: "vm:2" });
    expect(groups.map(({ services }) => services)).to.deep.equal([
      ["gateway", "orders"],
      ["users", "products"],
    ]);
  });

  it("stay when the gateway is gone, and only its light is known", () => {
    const gone = unreachable(status("redis", ["users"]));
    expect(gone.modules.map(({ name, status }) => `${name} ${status}`)).to.deep.equal([
      "gateway down",
      "users unknown",
      "products unknown",
      "orders unknown",
    ]);
  });
});

describe("console: events", () => {
  it("are told with who applied them and in how many attempts", () => {
    const spans = readSpans(fourProcesses.order);
    expect(readEvents(spans).map(({ type, publisher, appliedBy }) => ({ type, publisher, appliedBy }))).to.deep.equal([
      { type: "stock.reserved", publisher: "products", appliedBy: [{ module: "orders", attempts: 1, done: true }] },
      { type: "order.created", publisher: "orders", appliedBy: [{ module: "products", attempts: 1, done: true }] },
    ]);
    const failing = spans.map((span) =>
      span.kind === "apply" && span.service === "products" ? { ...span, status: "failed" } : span,
    );
    const again = failing.flatMap((span) =>
      span.status === "failed" ? [span, { ...span, span_id: "another" }] : [span],
    );
    expect(readEvents(again).at(-1)?.appliedBy).to.deep.equal([{ module: "products", attempts: 2, done: false }]);
  });
});

describe("console: figures", () => {
  it("are told with the digits that matter", () => {
    expect([0.042, 3.456, 84.26, 156.7, 1_234, 12_345].map(formatMs)).to.deep.equal([
      "0.04 ms",
      "3.46 ms",
      "84.3 ms",
      "157 ms",
      "1.23 s",
      "12.3 s",
    ]);
    expect([1.5, -1.5].map(formatOffset)).to.deep.equal(["+1.50 ms", "−1.50 ms"]);
    expect([393, 1_229].map(formatBytes)).to.deep.equal(["393 B", "1.2 KiB"]);
    expect([42, 185, 8_040, 270_000].map(formatUptime)).to.deep.equal([
      "under a minute",
      "3 min",
      "2 h 14 min",
      "3 d 3 h",
    ]);
  });

  it("come with lines of a file as they stand there, each below what it belongs to", () => {
    const file =
      "services:\n  gateway:\n    ports: [1]\n    other: 2\n  # said\n  users:\n    deep:\n      ports: [3]\n";
    expect(excerptOf(file, [/ports:/], 6)).to.equal(
      "services:\n  gateway:\n    ports: [1]\n  users:\n    deep:\n      ports: [3]",
    );
    expect(excerptOf(file, [/ports:/], 4)).to.equal("services:\n  gateway:\n    ports: [1]");
    expect(excerptOf("RUN a \\\n  && b\nCMD c\n", [/^RUN/], 3)).to.equal("RUN a \\\n  && b");
    expect(excerptOf(null, [], 1)).to.equal("This file is not shipped here.");
    expect(excerptOf(undefined, [], 1)).to.equal("Not known yet.");
  });
});

describe("console: what requests are filled with", () => {
  const product = (id: string, changed = {}) => ({ id, stock: 9, active: true, ...changed });
  const order = (id: string, status = "confirmed") => ({ id, status, total_cents: 100 });

  it("is the newest product that can be ordered, of the newest list", async () => {
    const { known, answer } = learning();
    await answer({ data: [product("c", { stock: 0 }), product("b"), product("a")] });
    expect(known.productId).to.equal("b");
    await answer(product("b", { active: false }));
    expect(known.productId).to.equal("a");
    await answer({ data: [product("c"), product("a")] });
    expect(known.productId).to.equal("c");
    await answer(product("a", { stock: 5 }));
    expect(known.productId).to.equal("c");
    await answer(product("d"));
    expect(known.productId).to.equal("d");
    await answer({ data: [] });
    expect(known.productId).to.equal("d");
  });

  it("is the newest order that was not rejected", async () => {
    const { known, answer } = learning();
    await answer({ data: [order("c", "rejected"), order("b"), order("a")] });
    expect(known.orderId).to.equal("b");
    await answer(order("d", "pending"));
    expect(known.orderId).to.equal("d");
  });

  function learning() {
    let body: unknown;
    const requests = createRequests({ fetch: async () => Response.json(body), sessions: nobody });
    const answer = (next: unknown) => {
      body = next;
      return requests.send("GET", "/");
    };
    return { known: createKnowledge(requests, nobody), answer };
  }
});

describe("console: dead letters", () => {
  const SOMEONE = { id: "a", name: "Ada", email: "ada@example.com", role: "admin" } as const;
  let admin: boolean;
  let answer: () => Promise<Response>;
  const requests = createRequests({ fetch: () => answer(), sessions: nobody });
  const { list, refresh } = createDeadLetters(requests, () => (admin ? SOMEONE : undefined));

  const listAfter = async (next: typeof answer) => {
    answer = next;
    await refresh();
    return list.get();
  };

  beforeEach(() => {
    admin = true;
  });

  it("tell a list that cannot be had from one that may not be seen", async () => {
    expect(await listAfter(async () => Response.json({}, { status: 504 }))).to.equal("unavailable");
    expect(await listAfter(() => Promise.reject(new TypeError()))).to.equal("unavailable");
    expect(await listAfter(async () => Response.json({}, { status: 401 }))).to.equal(undefined);
    expect(await listAfter(async () => Response.json({ data: [] }))).to.deep.equal([]);
    admin = false;
    expect(await listAfter(async () => Response.json({ data: [] }))).to.equal(undefined);
  });

  it("are not shown to who signs out before they come", async () => {
    const signsOut = async () => {
      admin = false;
      return Response.json({ data: [] });
    };
    expect(await listAfter(signsOut)).to.equal(undefined);
  });
});

describe("console: the status", () => {
  it("is unknown when a gateway that takes the connection does not answer within 3 s", async () => {
    const asked: string[] = [];
    const told = await new Promise((resolve) => {
      createStatusPoll({
        fetch: (path, { signal } = {}) => {
          asked.push(path);
          // Only the first is ended by its signal, so that the poll goes no further than the second.
          return new Promise((_, reject) => {
            if (asked.length === 1) signal?.addEventListener("abort", () => reject(signal.reason));
          });
        },
        isNeeded: () => true,
        onStatus: (body) => resolve([body]),
        onLatency: () => resolve("answered"),
      }).start();
    });
    expect({ told, asked }).to.deep.equal({ told: [undefined], asked: ["/status"] });
  });
});
