import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect } from "chai";
import { clientAddress } from "../../src/gateway/client-address.ts";

/** What a server makes of a client on this machine. It listens on both families, so that addresses come mapped. */
async function addressOf(trustedProxies: number, forwardedFor?: string | string[]): Promise<string> {
  const server = createServer((req, res) => {
    expect(req.socket.remoteAddress).to.equal("::ffff:127.0.0.1");
    res.end(clientAddress(req, trustedProxies));
  }).listen(0, "::");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const headers = forwardedFor === undefined ? {} : { "X-Forwarded-For": forwardedFor };
  const [answer] = await once(get({ host: "127.0.0.1", port, headers, agent: false }), "response");
  server.close();
  return text(answer);
}

describe("the client's address", () => {
  it("is the connection's, an IPv4 address also where it comes mapped", async () => {
    expect(await addressOf(0)).to.equal("127.0.0.1");
  });

  it("ignores X-Forwarded-For where no proxy is trusted", async () => {
    expect(await addressOf(0, "203.0.113.7")).to.equal("127.0.0.1");
  });

  const behindProxies: [string | string[], number, string][] = [
    ["203.0.113.7", 1, "203.0.113.7"],
    ["198.51.100.1, 203.0.113.7", 1, "203.0.113.7"],
    ["198.51.100.1, 203.0.113.7, 10.0.0.1", 2, "203.0.113.7"],
    [["198.51.100.1", "203.0.113.7"], 1, "203.0.113.7"],
    ["203.0.113.7", 3, "203.0.113.7"],
    ["203.0.113.7:4711", 1, "203.0.113.7"],
    ["::ffff:203.0.113.7", 1, "203.0.113.7"],
    ["::FFFF:cb00:7107", 1, "203.0.113.7"],
    ["2001:db8:1:2:3:4:5:6", 1, "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", 1, "2001:db8:1:2::/64"],
    ["[2001:db8:1:2::1]:443", 1, "2001:db8:1:2::/64"],
    ["2001:db8::1", 1, "2001:db8:0:0::/64"],
    ["::1", 1, "0:0:0:0::/64"],
    ["fe80::1%eth0", 1, "fe80:0:0:0::/64"],
    ["", 1, "127.0.0.1"],
    ["unknown", 1, "127.0.0.1"],
    ["203.0.113.7, not an address", 2, "127.0.0.1"],
    ["garbage, 203.0.113.7", 2, "203.0.113.7"],
    ["203.0.113.777", 1, "127.0.0.1"],
  ];
  for (const [header, hops, expected] of behindProxies) {
    it(`is ${expected} behind ${hops} trusted, given "${[header].flat().join('" and "')}"`, async () => {
      expect(await addressOf(hops, header)).to.equal(expected);
    });
  }

  it("stays the same for one IPv6 network and differs for the next", async () => {
    const [a, b, c] = await Promise.all(
      ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"].map((address) => addressOf(1, address)),
    );
    expect(a).to.equal(b);
    expect(a).not.to.equal(c);
  });
});
