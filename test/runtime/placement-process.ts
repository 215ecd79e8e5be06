/** Names one owner after the other in the folder that it is started in, and says so. See placement-file.spec.ts. */
import { writeSync } from "node:fs";
import { writePlacement } from "../../src/runtime/move/placement-file.ts";

for (let generation = 1; generation <= 3; generation += 1) {
  writePlacement(".", "orders", { generation, owner: `owner ${generation}`.repeat(900), url: null }, undefined);
  writeSync(1, `${generation}\n`);
}
