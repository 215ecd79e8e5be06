import type { Redis } from "ioredis";

/** The first line of a script that says what a full Redis must not refuse. */
const FLAGS = /^#!lua flags=.*\n/;

/** How a Redis before 7 answers such a line. */
const NO_FLAGS = /Error compiling script/;

/** Runs a Lua script on one key. @throws Error of Redis or of the connection */
export type Evaluate = (script: string, key: string, ...args: readonly string[]) => Promise<unknown>;

/**
 * Scripts as the Redis at hand takes them: one before 7 knows no flags, and does without them; it then refuses when its memory
 * is full what would let it be trimmed.
 */
export function createScripts(commands: Redis): Evaluate {
  let knowsFlags = true;
  return async (script, key, ...args) => {
    if (!knowsFlags) return commands.eval(script.replace(FLAGS, ""), 1, key, ...args);
    try {
      return await commands.eval(script, 1, key, ...args);
    } catch (error) {
      if (!(FLAGS.test(script) && error instanceof Error && NO_FLAGS.test(error.message))) throw error;
      knowsFlags = false;
      return commands.eval(script.replace(FLAGS, ""), 1, key, ...args);
    }
  };
}
