import { existsSync, readFileSync, renameSync } from "node:fs";
import { registerHooks } from "node:module";
import { isMoving } from "../../src/runtime/move/hand-over.ts";
import { Mover } from "../../src/runtime/move/mover.ts";
import type { Message, TaskName } from "../../src/runtime/move/protocol.ts";

/** The ends of the tasks of a hand-over, and what begins and ends it. */
export type Step = TaskName | "give" | "offered" | "warm" | "told";

/** What is to be done when a process has come to a step, the next time. */
export interface Point {
  /** Which process. */
  readonly pid: number;
  readonly step: Step;
  /** How long after that; between two steps, if 0. */
  readonly afterMs: number;
  readonly signal: NodeJS.Signals;
  /** Whom it is sent to, in this order. */
  readonly victims: readonly number[];
}

/**
 * Loaded before the product with `--import`: signals processes when the hand-over of a module has come in this process to the step that the file
 * of `STEP_FILE` says. The file is renamed to `….reached` before that. The product's code is untouched, but runs from its source, whose class this is.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const isBuild = specifier.endsWith("/dist/server/main.js");
    return nextResolve(isBuild ? new URL("../../src/main.ts", import.meta.url).href : specifier, context);
  },
});

const file = process.env.STEP_FILE ?? "";

function reached(step: Step): void {
  if (!existsSync(file)) return;
  const point = JSON.parse(readFileSync(file, "utf8")) as Point;
  if (point.pid !== process.pid || point.step !== step) return;
  renameSync(file, `${file}.reached`);
  const harm = () => {
    for (const pid of point.victims) process.kill(pid, point.signal);
  };
  if (point.afterMs === 0) harm();
  else setTimeout(harm, point.afterMs);
}

const { send, give, ask } = Mover.prototype;

Mover.prototype.send = function (this: Mover, message: Message) {
  // Not of who only looks, once a second.
  if (isMoving(this.state)) {
    if (message.is === "done") reached(message.task);
    if (message.is === "record") reached("read-record");
  }
  return send.call(this, message);
};

Mover.prototype.give = function (this: Mover, to) {
  reached("give");
  return give.call(this, to);
};

Mover.prototype.ask = async function (this: Mover, is, generation) {
  reached(is);
  await ask.call(this, is, generation);
  if (is === "offered") reached("warm");
};
