/** How many requests a caller may make in a window. */
export interface RateLimitWindow {
  readonly max: number;
  /** Whole seconds, in milliseconds. */
  readonly windowMs: number;
}

export type RateLimitSetting = RateLimitWindow | "off";

const MAX_WINDOW_SECONDS = 86_400;

/**
 * Reads `100/60s`, a hundred requests in each sixty seconds, or `off`.
 * @throws Error that says what is expected
 */
export function parseRateLimit(text: string): RateLimitSetting {
  if (text === "off") return "off";
  const [, max, seconds] = /^([1-9]\d{0,8})\/([1-9]\d{0,4})s$/.exec(text) ?? [];
  if (max === undefined || Number(seconds) > MAX_WINDOW_SECONDS) {
    throw new Error(`"${text}" is not a limit such as 100/60s (1 to ${MAX_WINDOW_SECONDS} seconds), nor off`);
  }
  return { max: Number(max), windowMs: Number(seconds) * 1000 };
}
