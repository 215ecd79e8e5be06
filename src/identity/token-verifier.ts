import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { z } from "zod";
import { loadJwt } from "../base/common-js.ts";
import { Problem } from "../base/problem.ts";
import type { Principal } from "../contract/context.ts";

export interface TokenVerifierOptions {
  /** Asks users for the public keys that tokens are signed with (RFC 7517). */
  readonly fetchKeys: () => Promise<{ readonly keys: readonly object[] }>;
  readonly issuer: string;
  readonly audience: string;
  /** The time, in milliseconds since 1970: tells whether a token has expired. */
  readonly now?: () => number;
  /** Milliseconds since some moment, by a clock that nobody sets: tells how old the keys are. */
  readonly monotonicMs?: () => number;
  /** How long an answer of `fetchKeys` is final: an unknown key id within that time is refused without asking again. */
  readonly refetchAfterMs?: number;
  /** Tokens remembered at most, about half a kilobyte each; the oldest goes first. */
  readonly rememberedTokens?: number;
}

export interface TokenVerifier {
  /**
   * Answers at once for a token that it has seen, because checking a signature costs a thousand times more.
   * @throws Problem invalid-token for any fault of the token; dependency-unavailable when the keys cannot be
   *   fetched, since a token that cannot be checked is not known to be wrong. Always as a rejection.
   */
  verify(token: string): Principal | Promise<Principal>;
}

interface Verified {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

/** The age at which keys are fetched again in the background, so that a retired key ends without a restart. */
const KEYS_STALE_AFTER_MS = 300_000;

/** A header that says more (`crit`, `jku`, `jwk`, `x5c`…) is none of ours: nothing in it is ever followed. */
const header = z.strictObject({ alg: z.literal("ES256"), typ: z.literal("JWT"), kid: z.string() });

const claims = z.object({
  sub: z.string().min(1),
  role: z.enum(["customer", "admin"]),
  exp: z.int(),
  iat: z.int(),
  jti: z.string().min(1),
});

const publicKey = z.object({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: z.string(),
  y: z.string(),
  kid: z.string(),
});

/**
 * Checks tokens (RFC 7519) that users signed with ES256, with nothing but its public keys. They are fetched
 * when the first token comes, and again when a token names another. While users cannot be reached, the keys
 * that are known go on being used.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { now = Date.now, rememberedTokens = 10_000 } = options;
  const seen = new Map<string, Verified>();
  const keySet = createKeySet({ ...options, onRetired: () => seen.clear() });

  async function check(token: string): Promise<Principal> {
    const key = await keySet.find(readHeader(token).kid);
    if (key === undefined) throw invalidToken("The token is signed with a key that is not known.");
    const verified = readClaims(token, key, options, now());
    remember(token, verified);
    return verified.principal;
  }

  function remember(token: string, verified: Verified): void {
    for (const oldest of seen.keys()) {
      if (seen.size < rememberedTokens) break;
      seen.delete(oldest);
    }
    seen.set(token, verified);
  }

  return {
    verify(token) {
      keySet.refreshIfStale();
      const known = seen.get(token);
      return known !== undefined && now() < known.expiresAtMs ? known.principal : check(token);
    },
  };
}

/**
 * Reads the token of an `Authorization` header (RFC 6750).
 * @returns null when there is none: no header, or one of another scheme, which is a proxy's or somebody else's
 * @throws Problem invalid-token when what follows `Bearer` cannot be a token
 */
export function readBearer(authorization: string | undefined): string | null {
  if (authorization === undefined || !/^Bearer(?: |$)/i.test(authorization)) return null;
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization)?.[1];
  if (token === undefined) throw invalidToken("The Authorization header is not a bearer token.");
  return token;
}

interface KeySetOptions extends Pick<TokenVerifierOptions, "fetchKeys" | "monotonicMs" | "refetchAfterMs"> {
  readonly onRetired: () => void;
}

/** The public keys by id, fetched when one is missing: by one caller at a time, for all that wait. */
function createKeySet(options: KeySetOptions) {
  const { fetchKeys, monotonicMs = () => performance.now(), refetchAfterMs = 2_000, onRetired } = options;
  let keys: ReadonlyMap<string, KeyObject> = new Map();
  let triedAtMs = Number.NEGATIVE_INFINITY;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function load(): Promise<void> {
    triedAtMs = monotonicMs();
    const loaded = importKeys((await fetchKeys()).keys, keys);
    fetchedAtMs = monotonicMs();
    const retired = [...keys.keys()].some((kid) => !loaded.has(kid));
    keys = loaded;
    if (retired) onRetired();
  }

  function refresh(): Promise<void> {
    fetching ??= load().finally(() => {
      fetching = undefined;
    });
    return fetching;
  }

  return {
    /** @throws Problem dependency-unavailable when the keys cannot be fetched */
    async find(kid: string): Promise<KeyObject | undefined> {
      if (!keys.has(kid) && monotonicMs() - fetchedAtMs >= refetchAfterMs) {
        await refresh().catch((cause: unknown) => {
          const detail = "The keys that tokens are signed with cannot be had now.";
          throw new Problem("dependency-unavailable", detail, { retryAfterSeconds: 1, cause });
        });
      }
      return keys.get(kid);
    },
    /** Fetches old keys again without anybody waiting; whether it fails makes no difference to those known. */
    refreshIfStale(): void {
      if (keys.size > 0 && monotonicMs() - triedAtMs > KEYS_STALE_AFTER_MS) refresh().catch(() => {});
    },
  };
}

/** The keys that we understand; RFC 7517 has others passed over. The id names the key, so one known is not made again. */
function importKeys(jwks: readonly object[], known: ReadonlyMap<string, KeyObject>): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const jwk of jwks) {
    const parsed = publicKey.safeParse(jwk);
    if (!parsed.success) continue;
    const { kid, ...key } = parsed.data;
    keys.set(kid, known.get(kid) ?? createPublicKey({ key: key satisfies JsonWebKey, format: "jwk" }));
  }
  return keys;
}

function readHeader(token: string): z.output<typeof header> {
  const parsed = header.safeParse(decodeHeader(token));
  if (parsed.success) return parsed.data;
  throw invalidToken("The token is not one that was issued here.");
}

function decodeHeader(token: string): unknown {
  try {
    return loadJwt().decode(token, { complete: true })?.header;
  } catch {
    return undefined;
  }
}

function readClaims(
  token: string,
  key: KeyObject,
  { issuer, audience }: Pick<TokenVerifierOptions, "issuer" | "audience">,
  nowMs: number,
): Verified {
  const jwt = loadJwt();
  const clockTimestamp = Math.floor(nowMs / 1_000);
  try {
    const verified = jwt.verify(token, key, { algorithms: ["ES256"], issuer, audience, clockTimestamp });
    const { sub, role, exp } = claims.parse(verified);
    return { principal: { id: sub, role }, expiresAtMs: exp * 1_000 };
  } catch (cause) {
    const expired = cause instanceof jwt.TokenExpiredError;
    throw invalidToken(expired ? "The token has expired." : "The token is not one that was issued here.", cause);
  }
}

function invalidToken(detail: string, cause?: unknown): Problem {
  return new Problem("invalid-token", detail, { cause });
}
