import { z } from "zod";
import { Problem } from "../base/problem.ts";

/** What can be asked of a process by its control socket: takes the input as it came, and promises the output. */
export type ControlOperation = (input: unknown) => Promise<unknown>;

/** By their names. */
export type ControlOperations = Readonly<Record<string, ControlOperation>>;

/**
 * An operation that takes an input of this form.
 * @returns what throws Problem validation-failed for any other input
 */
export function taking<S extends z.ZodType>(input: S, run: (input: z.output<S>) => unknown): ControlOperation {
  return async (given) => {
    const read = input.safeParse(given);
    if (read.success) return run(read.data);
    throw new Problem("validation-failed", `This input cannot be. ${z.prettifyError(read.error)}`);
  };
}
