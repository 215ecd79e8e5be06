import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import Koa from "koa";
import { answerAsPage, pagePolicy, securityHeaders } from "../../src/http/security-headers.ts";

describe("the security headers", () => {
  let server: Server;
  let url: string;

  before(async () => {
    const app = new Koa({ proxy: true });
    app.use(securityHeaders);
    app.use((koa) => {
      if (koa.path === "/page") answerAsPage(koa, pagePolicy("<p>Hello</p>"));
      if (koa.get("If-None-Match") === '"kept"') koa.status = 304;
      else koa.body = koa.path === "/page" ? "<p>Hello</p>" : { hello: true };
    });
    server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(() => server.close());

  it("let data do nothing in a browser", async () => {
    const { headers } = await fetch(`${url}/data`);
    expect(headers.get("content-security-policy")).to.equal("default-src 'none'; frame-ancestors 'none'");
    expect(headers.get("x-content-type-options")).to.equal("nosniff");
    expect(headers.get("referrer-policy")).to.equal("no-referrer");
    expect(headers.has("x-powered-by")).to.equal(false);
  });

  it("let pages load from here alone and be framed by nobody", async () => {
    const { headers } = await fetch(`${url}/page`);
    const policy = headers.get("content-security-policy");
    expect(policy).to.include("default-src 'self'").and.include("frame-ancestors 'none'");
    expect(policy).not.to.include("unsafe");
  });

  it("let what stands in a page count by its hash, and nothing else that is inline", () => {
    const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    const policy = pagePolicy("<style>p{}</style><script>a()</script><script type=module src=/b.js></script>");
    expect(policy).to.include(`style-src 'self' ${hash("p{}")};`);
    expect(policy.endsWith(`script-src 'self' ${hash("a()")}`), policy).to.equal(true);
    expect(pagePolicy("<p>Hello</p>")).not.to.match(/style-src|script-src|unsafe/);
  });

  it("are the same for what a browser has kept", async () => {
    for (const path of ["/data", "/page"]) {
      const [whole, kept] = await Promise.all(
        [undefined, '"kept"'].map((tag) =>
          fetch(url + path, tag === undefined ? {} : { headers: { "If-None-Match": tag } }),
        ),
      );
      expect(kept?.status).to.equal(304);
      expect(kept?.headers.get("content-security-policy")).to.equal(whole?.headers.get("content-security-policy"));
    }
  });

  it("ask for secure transport only over secure transport", async () => {
    const plain = await fetch(`${url}/data`);
    const secure = await fetch(`${url}/data`, { headers: { "X-Forwarded-Proto": "https" } });
    expect(plain.headers.has("strict-transport-security")).to.equal(false);
    expect(secure.headers.get("strict-transport-security")).to.equal("max-age=31536000");
  });
});
