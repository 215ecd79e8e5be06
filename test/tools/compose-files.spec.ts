import { readFileSync } from "node:fs";
import { expect } from "chai";
import { withPorts, withPostgres, withProduction, withScale, withServices } from "../../tools/compose-files.ts";

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), "utf8");

const kept = [
  { name: "users", port: 8001, calls: [] },
  { name: "products", port: 8002, calls: [] },
  { name: "orders", port: 8003, calls: ["users", "products"] },
];
const more = [...kept, { name: "shipments", port: 8004, calls: ["orders"] }];

describe("the files of Compose", () => {
  for (const [file, make] of [
    ["docker-compose.yml", withServices],
    ["compose.dev.yml", withPorts],
    ["compose.production.yml", withProduction],
    ["compose.postgres.yml", withPostgres],
    ["compose.scale.yml", withScale],
  ] as const) {
    it(`${file} loses nothing that was written by hand when a module comes and goes`, () => {
      const text = read(file);
      const wider = make(text, more);
      expect(wider).to.not.equal(text);
      expect(make(wider, more)).to.equal(wider);
      expect(make(wider, kept)).to.equal(text);
    });
  }

  it("tell a module where it listens, whom it waits for and where its data is, and all others where it is", () => {
    const lines = withServices(read("docker-compose.yml"), more).split("\n");
    expect(lines).to.include("  SHIPMENTS_URL: http://shipments:8004");
    const service = lines.slice(lines.indexOf("  shipments:"), lines.indexOf("  redis:"));
    expect(service.join("\n").trim()).to.equal(
      `
  shipments:
    <<: *service
    environment:
      <<: *environment
      SERVE: shipments
      LIVE_URL: http://127.0.0.1:8004/livez
    volumes: ["shipments:/data"]
    depends_on:
      redis: { condition: service_healthy }
      orders: { condition: service_started }`.trim(),
    );
    expect(lines.slice(lines.indexOf("volumes:"))).to.include("  shipments: {}");
    const gateway = lines.slice(lines.indexOf("  gateway:"), lines.indexOf("  users:"));
    expect(gateway).to.include("      shipments: { condition: service_started }");
  });
});
