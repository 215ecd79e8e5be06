/** The largest head of a request, its line included. */
export const HEAD_LIMIT_BYTES = 16 * 1024;

/** The largest body that an operation reads. */
export const BODY_LIMIT_BYTES = 100 * 1024;

/** The most calls in one batch. */
export const BATCH_LIMIT = 64;

/** The largest body of a batch: each of its calls may have one of the usual size. */
export const BATCH_LIMIT_BYTES = BATCH_LIMIT * BODY_LIMIT_BYTES;

/** How much of what was refused a client may still send, and for how long, so that it gets to read the answer before a reset. */
export const LINGER_BYTES = 1024 * 1024;
export const LINGER_MS = 1_000;
