import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Whoever has waited for the start is answered by then. */
const AFTER_START_MS = 1_000;

/**
 * Has V8 collect, once, what a start leaves: 14 MB, which a process that has nothing to do would keep for ever, as it needs no room. It takes a
 * few milliseconds; V8 gives the memory back within ten seconds.
 */
export function collectAfterStart(): void {
  setTimeout(collect, AFTER_START_MS).unref();
}

/** The flag is there for the one moment: code that is kept compiled is good for the flags that it was compiled with. */
function collect(): void {
  setFlagsFromString("--expose-gc");
  const gc: () => void = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  gc();
}
