/** Loaded before the product with `--import`: the machine's clock is a year ahead; the monotonic one is as it was. */
const AHEAD_MS = 365 * 24 * 60 * 60 * 1_000;

const { now } = Date;

class DateAhead extends Date {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [DateAhead.now()] : given) as [number]));
  }

  static override now(): number {
    return now() + AHEAD_MS;
  }
}

globalThis.Date = DateAhead as DateConstructor;
