import { createRequire } from "node:module";

/** What is not imported, but taken as CommonJS takes it. */

const require = createRequire(import.meta.url);

/**
 * Node's own HTTP. An `import` of it would have Node load all of its fetch, for the sake of three names that it has for browsers' sockets: a
 * tenth of a start, and 12 MB of each process.
 */
export const http = process.getBuiltinModule("node:http");

/**
 * The library that reads and writes tokens, loaded with the first of them: it would be a fifteenth of a start. By `require`, since an `import`
 * that fails once, for want of a file descriptor say, fails from then on.
 */
export function loadJwt(): typeof import("jsonwebtoken") {
  return require("jsonwebtoken");
}
