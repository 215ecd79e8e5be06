import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The library that reads and writes tokens, loaded with the first of them: it would be a fifteenth of a start. By `require`, since an `import`
 * that fails once, for want of a file descriptor say, fails from then on.
 */
export function loadJwt(): typeof import("jsonwebtoken") {
  return require("jsonwebtoken");
}
