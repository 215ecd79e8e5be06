/** The reason phrases of RFC 9110 (and 6585) that this API answers with. */
const REASONS: Readonly<Record<string, string>> = {
  200: "OK",
  201: "Created",
  204: "No Content",
  304: "Not Modified",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};

/** A status as one reads it: `201 Created`. */
export function statusText(status: string | number): string {
  const reason = REASONS[String(status)];
  return reason === undefined ? String(status) : `${status} ${reason}`;
}
