import { fourProcesses, oneProcess } from "../support/topology.ts";
import { failureRows, startAgainstObstacles } from "./failure-rows.ts";
import { identityRows } from "./identity-rows.ts";
import { inputRows } from "./input-rows.ts";
import { messageRows, slownessRow } from "./message-rows.ts";
import { RowTable } from "./row-table.ts";
import { startTarget, type Target } from "./target.ts";

const SETTINGS = {
  HEADERS_TIMEOUT: "60000",
  REQUEST_TIMEOUT: "60000",
  CORS_ORIGINS: "https://shop.example",
  TRUSTED_PROXIES: "1",
  LOGIN_FAILURES: "3",
};

/** Short enough to be waited for, and long enough for a request that is sent in one piece. */
const IMPATIENT = { HEADERS_TIMEOUT: "4000", REQUEST_TIMEOUT: "6000" };

const rows = [...messageRows, ...inputRows, ...identityRows];

describe("bad inputs and attacks", () => {
  const table = new RowTable();

  for (const topology of [oneProcess, fourProcesses]) {
    describe(`in ${topology.name}`, () => {
      let target: Target;
      before(async () => {
        target = await startTarget(topology, SETTINGS);
      });
      after(() => target?.stop());

      for (const row of rows) {
        it(`${row.input} → ${row.answer}`, () => table.record(row, topology.name, () => row.run(target)));
      }
    });
  }

  for (const topology of [oneProcess, fourProcesses]) {
    it(`in ${topology.name}, ${slownessRow.input} → ${slownessRow.answer}`, async () => {
      const target = await startTarget(topology, IMPATIENT);
      try {
        await table.record(slownessRow, topology.name, () => slownessRow.run(target));
      } finally {
        await target.stop();
      }
    });

    for (const row of failureRows) {
      it(`in ${topology.name}, ${row.input} → ${row.answer}`, async () => {
        const shop = await topology.start(row.settings);
        try {
          await table.record(row, topology.name, () => row.run(shop));
        } finally {
          await shop.stop();
        }
      });
    }
  }

  const obstacles = {
    input: "an address in use, a folder not to be written, a corrupt or newer database, an unknown flag",
    answer: "exit ≠ 0, one clear line, files untouched",
  };
  const alone = { SERVE: "users", REDIS_URL: "redis://127.0.0.1:9" };
  for (const [topology, serve] of [
    [oneProcess, {}],
    [fourProcesses, alone],
  ] as const) {
    it(`in ${topology.name}, ${obstacles.input} → ${obstacles.answer}`, () =>
      table.record(obstacles, topology.name, () => startAgainstObstacles(serve)));
  }

  after(() => table.print());
});
