/** One message of a stream of server-sent events. */
export interface SseMessage {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/**
 * Reads server-sent events (HTML Standard, 9.2.6) from the pieces of text as they arrive. A message that is not
 * complete yet waits for the next piece; comments, which keep the line alive, are `onComment`'s.
 */
export function createSseReader(onMessage: (message: SseMessage) => void, onComment: () => void = () => {}) {
  let rest = "";
  let id: string | undefined;
  let event = "";
  let data: string[] = [];

  const dispatch = (): void => {
    if (data.length > 0) onMessage({ id, event: event || "message", data: data.join("\n") });
    event = "";
    data = [];
  };

  const readLine = (line: string): void => {
    if (line === "") {
      dispatch();
      return;
    }
    if (line.startsWith(":")) {
      onComment();
      return;
    }
    const [, name = "", value = ""] = /^([^:]*)(?:: ?([\s\S]*))?$/.exec(line) ?? [];
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id" && !value.includes("\0")) id = value;
  };

  return (piece: string): void => {
    // A carriage return at the end may be the first half of a line's end.
    const whole = rest + piece;
    const lines = whole.endsWith("\r") ? whole.slice(0, -1).split(/\r\n|\r|\n/) : whole.split(/\r\n|\r|\n/);
    rest = (lines.pop() ?? "") + (whole.endsWith("\r") ? "\r" : "");
    for (const line of lines) readLine(line);
  };
}
