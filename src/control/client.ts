import { setTimeout as sleep } from "node:timers/promises";
import { Problem } from "../base/problem.ts";
import { type KitProblem, kitProblems } from "../base/problem-types.ts";
import { answer } from "./conversation.ts";
import { connectTo } from "./sockets.ts";

/** What is asked over a control socket. */
export interface Asked {
  readonly operation: string;
  readonly input?: unknown;
  /** Milliseconds that the answer may take. */
  readonly withinMs: number;
}

/**
 * Asks the process that listens on this socket.
 * @returns the output, as it came
 * @throws Problem as that process names it; dependency-unavailable when nobody listens there, or it has ended before it answered, which may be
 *   after it did what was asked; upstream-timeout when it did not answer in time
 */
export async function askProcess(socket: string, { operation, input = {}, withinMs }: Asked): Promise<unknown> {
  const connection = await connectTo(socket).catch((cause: unknown) => {
    throw new Problem("dependency-unavailable", "Nobody listens there.", { cause });
  });
  try {
    connection.write(`${JSON.stringify({ operation, input })}\n`);
    const line = await Promise.race([
      firstLine(connection.setEncoding("utf8")),
      sleep(withinMs, undefined, { ref: false }),
    ]);
    if (line === undefined) throw new Problem("upstream-timeout", "The process did not answer in time.");
    return outputOf(line);
  } finally {
    connection.destroy();
  }
}

async function firstLine(pieces: AsyncIterable<string>): Promise<string> {
  let text = "";
  try {
    for await (const piece of pieces) {
      text += piece;
      if (text.includes("\n")) return text;
    }
  } catch {
    // It has broken, as when it ends.
  }
  throw new Problem("dependency-unavailable", "The process has ended before it answered.");
}

/** @throws Problem that the answer tells of */
function outputOf(line: string): unknown {
  const told = answer.parse(JSON.parse(line));
  if ("output" in told) return told.output;
  const { code, detail } = told.problem;
  throw new Problem(code in kitProblems ? (code as KitProblem) : "internal", detail);
}
