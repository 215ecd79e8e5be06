import { isProblem } from "../../src/base/problem.ts";
import { askForMove } from "../../src/runtime/move/ask-for-move.ts";
import { findSeats } from "../../src/runtime/move/others.ts";
import { until } from "./process.ts";

const TRIES = 5;

/**
 * Moves a module as its operator does, who asks again where it stayed because calls would have waited for too long: on a machine that
 * does much else, what is done meanwhile takes that long.
 * @throws Problem any other refusal, and this one when it comes each time
 */
export async function moveModule(...move: Parameters<typeof askForMove>): Promise<string> {
  const [dataDir, name] = move;
  for (let left = TRIES; ; left -= 1) {
    try {
      return await askForMove(...move);
    } catch (error) {
      if (left === 1 || !isProblem(error) || !error.message.includes("calls have waited for")) throw error;
      await until(`${name} is served again`, async () =>
        (await findSeats(dataDir, name)).some(({ state }) => state === "serving"),
      );
    }
  }
}
