import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";

/** How the SDK tells of resource attributes that it passes over, which its other warnings are not like. */
const PASSED_OVER_QUIETLY = /^EnvDetector failed: /;

/**
 * Passes on what the OpenTelemetry SDK warns of, such as a variable whose value it passes over, and each of it once: a
 * receiver that is away would else be told of with every batch.
 */
export function reportDiagnostics(warn: (message: string) => void): void {
  const told = new Set<string>();
  const tell = (message: string) => {
    const text = textOf(message);
    if (told.has(text)) return;
    told.add(text);
    warn(`OpenTelemetry: ${text}`);
  };
  const nothing = () => {};
  const logger: DiagLogger = {
    error: tell,
    warn: tell,
    info: nothing,
    debug: (message) => PASSED_OVER_QUIETLY.test(message) && tell(message),
    verbose: nothing,
  };
  diag.setLogger(logger, { logLevel: DiagLogLevel.DEBUG, suppressOverrideMessage: true });
}

/** An error comes as JSON of all its members, stack included. */
function textOf(message: string): string {
  try {
    const { message: text } = JSON.parse(message) as { message?: unknown };
    return typeof text === "string" ? text : message;
  } catch {
    return message;
  }
}
