/**
 * Node's own HTTP. An `import` of it would have Node load all of its fetch, for the sake of three names that it has for browsers' sockets: a
 * tenth of a start, and 12 MB of each process.
 */
export const http = process.getBuiltinModule("node:http");
