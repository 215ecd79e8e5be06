import { expect } from "chai";
import { requireVersion } from "../../src/bus/redis/version.ts";

describe("the version of Redis", () => {
  const info = (version: string) => `# Server\r\nredis_version:${version}\r\nredis_mode:standalone\r\n`;

  it("is new enough from 6.2 on, and any that is not told", () => {
    for (const version of ["6.2.0", "6.2.14", "7.0.15", "8.0", "10.1.2"]) requireVersion(info(version));
    requireVersion("# Server\r\n");
  });

  it("is told where it is too old, with the one that is needed", () => {
    for (const version of ["5.0.14", "6.0.16", "3.2.1"]) {
      expect(() => requireVersion(info(version))).to.throw(`this Redis is ${version}, and 6.2 or newer is needed`);
    }
  });
});
