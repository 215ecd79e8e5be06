declare module "koa-ratelimit" {
  /** The part of a Koa context that the middleware touches. */
  interface LimitedContext {
    set(headers: Readonly<Record<string, number>> | string, value?: number): void;
    readonly state: object;
  }

  /** What the Redis driver asks of its database, normally the Lua script that it defines there. */
  interface LimiterDatabase {
    /**
     * Counts one request.
     * @param clockMs the driver's own clock
     * @returns requests left with this one included (0 refuses it), the second at which that changes, and the maximum
     */
    ratelimiter(
      key: string,
      clockMs: number,
      durationMs: number,
      max: number,
    ): Promise<readonly [number, number, number]>;
  }

  interface LimiterOptions<C> {
    readonly driver: "redis";
    readonly db: LimiterDatabase;
    readonly duration: number;
    readonly max: number;
    readonly namespace: string;
    readonly errorMessage: string;
    readonly headers: { readonly total: string; readonly remaining: string; readonly reset: string };
    id(context: C): string;
  }

  export default function ratelimit<C extends LimitedContext>(
    options: LimiterOptions<C>,
  ): (context: C, next: () => Promise<void>) => Promise<void>;
}
