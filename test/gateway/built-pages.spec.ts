import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import { mountBuiltPages } from "../../src/gateway/built-pages.ts";
import { createHttpApp } from "../../src/http/app.ts";
import { securityHeaders } from "../../src/http/security-headers.ts";
import { createApi } from "../support/api.ts";

describe("the built pages", () => {
  let folder: string;
  let server: Server;
  let url: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "quartet-pages-"));
    const app = createHttpApp((router) => mountBuiltPages(router, folder), {
      before: [securityHeaders],
      onUnexpected() {},
    });
    server = app.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it("are missed in words while they are not built", async () => {
    const answer = await fetch(url);
    expect(answer.status).to.equal(404);
    expect(await answer.json())
      .to.have.property("detail")
      .that.includes("npm run build:console");
  });

  it("are served: the page to be asked for again, assets to be kept", async () => {
    await mkdir(join(folder, "assets"));
    await writeFile(join(folder, "index.html"), "<!doctype html><title>Quartet</title>");
    await writeFile(join(folder, "assets", "main-a1b2.js"), "export {};");
    const page = await fetch(url);
    expect(page.status).to.equal(200);
    expect(page.headers.get("content-type")).to.match(/^text\/html/);
    expect(page.headers.get("cache-control")).to.equal("no-cache");
    expect(page.headers.get("content-security-policy")).to.include("default-src 'self'");
    expect(await page.text()).to.include("Quartet");
    const script = await fetch(`${url}/assets/main-a1b2.js`);
    expect(script.headers.get("cache-control")).to.equal("public, max-age=31536000, immutable");
    expect(script.headers.get("content-type")).to.match(/javascript/);
  });

  it("are not sent again to who has them", async () => {
    const api = createApi(url);
    const tag = (await api.get("/")).headers.etag ?? "";
    expect(tag).to.match(/^"/);
    expect((await api.get("/", undefined, { "if-none-match": tag })).status).to.equal(304);
    await writeFile(join(folder, "index.html"), "<!doctype html><title>Another</title>");
    expect((await api.get("/", undefined, { "if-none-match": tag })).status).to.equal(200);
    await api.close();
  });

  it("travel compressed to who takes that, each copy with a tag of its own", async () => {
    const text = "export const text = 'long';".repeat(100);
    await writeFile(join(folder, "assets", "long-c3d4.js"), text);
    await writeFile(join(folder, "assets", "long-c3d4.js.br"), brotliCompressSync(text));
    await writeFile(join(folder, "assets", "long-c3d4.js.gz"), gzipSync(text));
    const api = createApi(url);
    const tags = new Set<string>();
    for (const [asked, encoding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip", "gzip"],
      ["identity", undefined],
    ] as const) {
      const { status, headers } = await api.get("/assets/long-c3d4.js", undefined, { "accept-encoding": asked });
      expect(status).to.equal(200);
      expect(headers["content-encoding"], asked).to.equal(encoding);
      expect(headers["content-type"], asked).to.match(/javascript/);
      expect(headers.vary, asked).to.include("Accept-Encoding");
      expect(headers["cache-control"], asked).to.equal("public, max-age=31536000, immutable");
      tags.add(headers.etag ?? "");
    }
    expect(tags.size).to.equal(3);
    await api.close();
    expect(await (await fetch(`${url}/assets/long-c3d4.js`)).text()).to.equal(text);
  });

  it("allow the styles that stand in them, and no others", async () => {
    await writeFile(join(folder, "docs.html"), "<!doctype html><style>p { margin: 0 }</style><p>Hello</p>");
    const policy = (await fetch(`${url}/docs`)).headers.get("content-security-policy");
    const hash = createHash("sha256").update("p { margin: 0 }").digest("base64");
    expect(policy).to.include(`style-src 'self' 'sha256-${hash}'`).and.include("default-src 'self'");
    expect(policy).not.to.include("unsafe");
  });

  it("are all that is served", async () => {
    await writeFile(join(folder, "secret.txt"), "secret");
    for (const path of [
      "/secret.txt",
      "/index.html",
      "/assets/none.js",
      "/assets/long-c3d4.js.br",
      "/assets/long-c3d4.js.gz",
      "/assets/..%5csecret.txt",
      "/assets/%252e%252e",
      "/assets/.hidden",
    ]) {
      expect((await fetch(url + path)).status, path).to.be.oneOf([400, 404]);
    }
  });
});
