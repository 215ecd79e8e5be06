import { execFileSync } from "node:child_process";
import { expect } from "chai";

describe("the logger", () => {
  it("redacts secrets, also in what an error carries", () => {
    const program = `
      import { createLogger } from ${JSON.stringify(new URL("../../src/runtime/logger.ts", import.meta.url).href)};
      const { logger } = await createLogger({ LOG_LEVEL: "trace", production: true });
      const secrets = { password: "s3cret", current_password: "s3cret", new_password: "s3cret", token: "s3cret",
        refresh_token: "s3cret", authorization: "s3cret", cookie: "s3cret" };
      logger.info(secrets, "on top");
      logger.child({ module: "users" }).warn({ body: secrets, request: { headers: secrets } }, "below");
      logger.error({ err: Object.assign(new Error("failed"), { input: secrets }) }, "in an error");
    `;
    const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
    expect(
      said
        .trim()
        .split("\\n")
        .join("\n")
        .match(/"msg":"(on top|below|in an error)"/g),
    ).to.have.length(3);
    expect(said).to.include("[Redacted]").and.not.to.include("s3cret");
  });
});
