let writtenMs = Number.NaN;
let written = "";

/**
 * A time as it is told everywhere (RFC 3339, UTC). What happens in the same millisecond shares one text: to write it takes a
 * microsecond, and five are written for each order.
 * @param ms milliseconds since 1970
 * @throws RangeError for what is no time
 */
export function timestampOf(ms: number): string {
  if (ms !== writtenMs) {
    written = new Date(ms).toISOString();
    writtenMs = ms;
  }
  return written;
}
