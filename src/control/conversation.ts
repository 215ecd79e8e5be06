import type { Socket } from "node:net";
import { z } from "zod";
import { isProblem, Problem } from "../base/problem.ts";
import type { ControlOperation, ControlOperations } from "./operation.ts";

/** The longest line that is read, in characters. */
const LONGEST_LINE = 64 * 1024;

/** How long somebody may be silent who is not waiting for an answer. */
const QUIET_MS = 10_000;

const request = z.strictObject({ operation: z.string(), input: z.unknown().optional() });

/** What a line is answered with. */
export const answer = z.union([
  z.strictObject({ output: z.unknown() }),
  z.strictObject({ problem: z.strictObject({ code: z.string(), detail: z.string() }) }),
]);

/**
 * Answers what comes over a connection, a line of JSON for each, one after the other. What cannot be read is answered with a
 * problem; after a line that is too long, or half of one, the connection closes.
 * @param onUnexpected told of failures without a name
 */
export async function converse(
  socket: Socket,
  operations: ControlOperations,
  onUnexpected: (error: unknown) => void,
): Promise<void> {
  let isAnswering = false;
  socket.on("error", () => {}); // whoever asked has left
  socket.setTimeout(QUIET_MS, () => isAnswering || socket.destroy());
  const tell = (told: z.input<typeof answer>) => void socket.write(`${JSON.stringify(told)}\n`);

  async function reply(line: string): Promise<void> {
    isAnswering = true;
    try {
      const { operation, input = {} } = readRequest(line);
      tell({ output: (await find(operations, operation)(input)) ?? null });
    } catch (error) {
      if (!isProblem(error)) onUnexpected(error);
      tell(refusal(isProblem(error) ? error : new Problem("internal", "Something went wrong here.")));
    }
    isAnswering = false;
  }

  let rest = "";
  try {
    for await (const piece of socket.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
      const lines = `${rest}${piece}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) await reply(line);
      if (rest.length > LONGEST_LINE) break;
    }
    if (rest !== "") tell(refusal(unfinished(rest)));
  } catch {
    // The connection has broken: there is nobody to tell.
  }
  socket.destroySoon();
}

function refusal({ code, message }: Problem): z.input<typeof answer> {
  return { problem: { code, detail: message } };
}

function unfinished({ length }: string): Problem {
  if (length <= LONGEST_LINE) return new Problem("invalid-json", "This line has no end.");
  return new Problem("payload-too-large", `A line has ${LONGEST_LINE} characters at the most.`);
}

function readRequest(line: string): z.output<typeof request> {
  try {
    return request.parse(JSON.parse(line));
  } catch {
    throw new Problem("invalid-json", 'A line is expected such as {"operation":"topology","input":{}}.');
  }
}

function find(operations: ControlOperations, name: string): ControlOperation {
  const found = Object.hasOwn(operations, name) ? operations[name] : undefined;
  if (found !== undefined) return found;
  throw new Problem("not-found", `There is no operation ${JSON.stringify(name.slice(0, 100))} here.`);
}
