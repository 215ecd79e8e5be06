import { request } from "node:http";
import { expect } from "chai";
import { type Api, createApi, register, type Session, signIn } from "../support/api.ts";
import { readStream, type StreamReader } from "../support/event-stream.ts";
import { until } from "../support/process.ts";
import { oneProcess, type Shop } from "../support/topology.ts";

/** Few enough to be used up at once, and more than any test asks for by the way. */
const LIMIT = 20;
const RATE_LIMIT = `${LIMIT}/60s`;

/** What the page sends with the orders of its trickle. */
const TRICKLES = { "console-trickle": "on" };

const READING = ["/console/stream", "/console/traces", "/console/info"];

describe("access to the console", () => {
  let shop: Shop;
  let api: Api;
  let admin: Session;
  let customer: Session;

  async function open(settings: Readonly<Record<string, string>>): Promise<void> {
    shop = await oneProcess.start(settings);
    api = createApi(shop.url);
    admin = await signIn(api);
    customer = await register(api, "a-customer");
  }

  async function close(): Promise<void> {
    await api?.close();
    await shop?.stop();
  }

  /** The status of an answer and, of a failure, its name. */
  function ask(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body = "",
  ): Promise<string> {
    const { port } = new URL(shop.url);
    return new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
        const { statusCode, headers: told } = answer;
        if (told["content-type"] === "text/event-stream") {
          answer.destroy();
          resolve(`${statusCode}`);
          return;
        }
        let text = "";
        answer.on("data", (piece) => {
          text += piece;
        });
        answer.on("end", () => {
          const { type = "" } = JSON.parse(text);
          resolve(`${statusCode} ${type.split("/").at(-1)}`.trim());
        });
      });
      sent.once("error", reject).end(body);
    });
  }

  const asAdmin = () => ({ authorization: `Bearer ${admin.token}` });
  const asCustomer = () => ({ authorization: `Bearer ${customer.token}` });

  describe("while trying out", () => {
    before(() => open({ NODE_ENV: "development", RATE_LIMIT }));
    after(close);

    for (const host of ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:8000", "[::1]:8000"]) {
      it(`needs no token at ${host}`, async () => {
        for (const path of READING) expect(await ask("GET", path, { host }), path).to.equal("200");
        expect(await ask("GET", "/console/info", { host, origin: `http://${host}` })).to.equal("200");
        expect(await ask("POST", "/console/sign-in", { host, origin: `http://${host}` })).to.equal("200");
      });
    }

    const strangers = {
      "a name that was pointed here": { host: "rebound.example:8000" },
      "a name that begins like ours": { host: "localhost.example" },
      "a name that ends like ours": { host: "evil-localhost" },
      "an address of the network": { host: "192.168.1.2:8000" },
      "a page of another origin": { host: "localhost:8000", origin: "https://evil.example" },
      "a page of another port": { host: "localhost:8000", origin: "http://localhost:9000" },
      "a page of another of our names": { host: "localhost:8000", origin: "http://127.0.0.1:8000" },
      "a page without an origin": { host: "localhost:8000", origin: "null" },
      "a script element of another site": { host: "localhost:8000", "sec-fetch-site": "cross-site" },
      "a page of another port, by its browser's word": { host: "localhost:8000", "sec-fetch-site": "same-site" },
    };
    for (const [who, headers] of Object.entries(strangers)) {
      it(`needs a token from ${who}`, async () => {
        for (const path of READING) expect(await ask("GET", path, headers), path).to.equal("401 unauthenticated");
        expect(await ask("POST", "/console/sign-in", headers)).to.equal("403 forbidden");
        expect(await ask("GET", "/console/traces", { ...headers, ...asAdmin() })).to.equal("200");
      });
    }

    it("counts no request of the page's trickle against the limit, and every other", async () => {
      const asked = (headers: Readonly<Record<string, string>>) =>
        ask("GET", "/users/me", { host: "localhost:8000", ...asCustomer(), ...headers });
      const all = async (count: number, headers: Readonly<Record<string, string>>) =>
        new Set(await Promise.all(Array.from({ length: count }, () => asked(headers))));
      expect(await all(LIMIT * 2, TRICKLES)).to.deep.equal(new Set(["200"]));
      expect(await all(LIMIT, {})).to.deep.equal(new Set(["200"]));
      for (const [who, headers] of Object.entries(strangers)) {
        expect(await asked({ ...TRICKLES, ...headers }), who).to.equal("429 rate-limited");
      }
      expect(await asked({ "console-trickle": "off" })).to.equal("429 rate-limited");
      expect(await asked(TRICKLES)).to.equal("200");
    });

    it("is an admin's, and a bad token is told even where none is needed", async () => {
      for (const path of READING) {
        expect(await ask("GET", path, asCustomer()), path).to.equal("403 forbidden");
        expect(await ask("GET", path, { authorization: "Bearer no.token.this" }), path).to.equal("401 invalid-token");
      }
    });

    it("is given with one click to an admin who may do all that an admin may", async () => {
      const { body, status, headers } = await api.post("/console/sign-in");
      expect(status).to.equal(200);
      expect(headers["cache-control"]).to.equal("no-store");
      expect(body).to.include({ token_type: "Bearer" }).and.to.have.nested.property("user.role", "admin");
      const { token } = body as Session;
      expect((await api.get("/users", token)).status).to.equal(200);
    });

    it("takes no body with the click", async () => {
      const headers = { "content-length": "2", "content-type": "application/json" };
      expect(await ask("POST", "/console/sign-in", headers, "{}")).to.match(/^4\d\d /);
    });

    it("tells what the page needs to know", async () => {
      const { body } = await api.get("/console/info");
      expect(body).to.include({ environment: "development", one_click: true, node: process.version });
      expect(body).to.have.nested.property("bus.kind", "memory");
      expect(body).to.have.property("docker").that.has.keys("dockerfile", "compose");
      const { body: told } = await api.get("/console/info", admin.token, { "sec-fetch-site": "cross-site" });
      expect(told).to.include({ one_click: false });
    });

    it("refuses a limit that is none", async () => {
      for (const limit of ["0", "201", "-1", "1e2", "x", ""]) {
        expect(await ask("GET", `/console/traces?limit=${limit}`), limit).to.equal("422 validation-failed");
      }
      expect(await ask("GET", "/console/traces?limit=1&limit=2")).to.equal("422 validation-failed");
    });

    it("has nothing at the folder itself", async () => {
      expect(await ask("GET", "/console")).to.equal("404 not-found");
    });

    it("lets sixteen watch at once, and no more", async () => {
      const readers: StreamReader[] = [];
      // Who has just left may be counted for a moment.
      await until("sixteen watch", async () => {
        const reader = await readStream(shop.url).catch(() => undefined);
        if (reader !== undefined) readers.push(reader);
        return readers.length === 16;
      });
      expect(await ask("GET", "/console/stream")).to.equal("503 overloaded");
      for (const reader of readers) reader.close();
    });
  });

  describe("anywhere else", () => {
    before(() => open({ NODE_ENV: "test", SEED: "on", RATE_LIMIT }));
    after(close);

    it("counts a trickle like everything else", async () => {
      const asked = () => ask("GET", "/users/me", { ...asCustomer(), ...TRICKLES });
      const answers = await Promise.all(Array.from({ length: LIMIT + 1 }, asked));
      expect(new Set(answers)).to.deep.equal(new Set(["200", "429 rate-limited"]));
    });

    it("needs an admin's token", async () => {
      for (const path of READING) {
        expect(await ask("GET", path), path).to.equal("401 unauthenticated");
        expect(await ask("GET", path, asCustomer()), path).to.equal("403 forbidden");
        expect(await ask("GET", path, asAdmin()), path).to.equal("200");
      }
    });

    it("is not to be had with one click", async () => {
      expect(await ask("POST", "/console/sign-in")).to.equal("404 not-found");
      expect((await api.get("/console/info", admin.token)).body).to.include({ one_click: false });
    });
  });

  it("ends with the process, at once", async () => {
    await open({ NODE_ENV: "development" });
    const reader = await readStream(shop.url);
    await close();
    await reader.ended;
  });
});
