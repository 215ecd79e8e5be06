/** What a kind of failure means to a caller; a contract gives each of its own names a kind. */
export type ProblemKind =
  | "bad-request"
  | "unauthenticated"
  | "forbidden"
  | "not-found"
  | "conflict"
  | "precondition"
  | "unprocessable"
  | "too-many"
  | "unavailable";

/** A problem's kind, and in a sentence or two what happened and what the caller can do; a kind alone says the general. */
export type ProblemDeclaration =
  | ProblemKind
  | { readonly kind: ProblemKind; readonly meaning: string; readonly remedy: string };

/** The problems that a contract declares, by name. */
export type ProblemDeclarations = Readonly<Record<string, ProblemDeclaration>>;

/** What there is to know of all problems of one name. */
export interface ProblemType {
  /** Its name, such as `not-found`: the type of RFC 9457 is `/problems/<code>`. */
  readonly code: string;
  readonly status: number;
  readonly meaning: string;
  readonly remedy: string;
}

/** What a problem can be: its types, by name. */
export type ProblemTypes = ReadonlyMap<string, ProblemType>;

/**
 * The types that belong to the kit and the gateway, and those that contracts declare.
 * @throws Error when two of one name have different statuses: a name means one thing
 */
export function problemTypes(...declared: readonly ProblemDeclarations[]): ProblemTypes {
  const types = new Map<string, ProblemType>(Object.entries(kitProblems));
  for (const [code, declaration] of declared.flatMap(Object.entries<ProblemDeclaration>)) {
    const { kind, ...said } = typeof declaration === "string" ? { kind: declaration } : declaration;
    const type = { ...toType(code, KINDS[kind]), ...said };
    const known = types.get(code);
    if (known !== undefined && known.status !== type.status) {
      throw new Error(`problem ${code} is ${known.status}, not ${type.status}`);
    }
    types.set(code, type);
  }
  return types;
}

type Row = readonly [status: number, meaning: string, remedy: string];

const KINDS: Readonly<Record<ProblemKind, Row>> = {
  "bad-request": [400, "The request cannot be understood.", "Correct the request; the detail says what is wrong."],
  unauthenticated: [401, "Who is calling is not known.", "Sign in, then ask again."],
  forbidden: [403, "Who is calling may not do this.", "Ask somebody who may."],
  "not-found": [404, "There is nothing here, or nothing that the caller may see.", "Check the address."],
  conflict: [409, "The present state of things does not allow this.", "Look at the present state, then decide anew."],
  precondition: [412, "Things are not as the request expects them to be.", "Fetch the present state, then ask again."],
  unprocessable: [422, "The request is well formed, but not one that can be done.", "Change what the detail names."],
  "too-many": [429, "This was asked too often.", "Wait as long as Retry-After says."],
  unavailable: [503, "This cannot be done for the moment.", "Try again after Retry-After."],
};

const RETRY_SAFELY =
  "Try again after Retry-After. Whether the request was carried out may not be known: a read, or a request with an Idempotency-Key, is safe to repeat.";

const KIT = {
  "malformed-request": [
    400,
    "The bytes that arrived are not a proper HTTP request, or could be read in two ways. The connection is closed.",
    "Use a well-behaved HTTP client, and look at what lies between it and this server.",
  ],
  "invalid-json": [
    400,
    "The body is not JSON in UTF-8, has a member twice, or is nested more than 32 deep.",
    "Send one JSON object; the detail says where it breaks.",
  ],
  "invalid-path": [
    400,
    "The path holds what has no place in one: an empty segment, dots that climb, an encoded slash or NUL.",
    "Encode each segment once, and ask for a path of the API.",
  ],
  unauthenticated: [
    401,
    "This needs a signed-in user, and the request carries no token.",
    "Sign in at POST /users/login and send the token as Authorization: Bearer.",
  ],
  "invalid-token": [
    401,
    "The token has expired, was revoked, or was not issued here.",
    "Refresh it at POST /users/refresh, or sign in again.",
  ],
  forbidden: [403, "The signed-in user may not do this.", "Ask an admin, or do it in your own name."],
  "not-found": [
    404,
    "There is nothing at this address, or nothing that the caller may see: the two are not told apart.",
    "Check the address and the id, and whether you are signed in as the right user.",
  ],
  "method-not-allowed": [
    405,
    "The path exists, but does not take this method.",
    "Use one of the methods that the Allow header lists.",
  ],
  "request-timeout": [
    408,
    "The headers or the body did not arrive in time.",
    "Send the request again, without pauses in it.",
  ],
  "request-in-progress": [
    409,
    "The first request with this Idempotency-Key is still running.",
    "Wait a moment and repeat the request with the same key: its answer will be the first one's.",
  ],
  "precondition-failed": [
    412,
    "Somebody changed it since it was read: its ETag is not the one in If-Match.",
    "Fetch it again, look at what changed, and repeat the change with the new ETag.",
  ],
  "payload-too-large": [413, "The body is larger than 100 KiB.", "Send less, in several requests if need be."],
  "unsupported-media-type": [415, "The body is not declared as JSON in UTF-8.", "Send Content-Type: application/json."],
  "validation-failed": [
    422,
    "Members of the request are missing, unknown, or not of the kind or size expected.",
    "Each entry of errors points at one of them and says what is wrong with it.",
  ],
  "idempotency-key-reused": [
    422,
    "This Idempotency-Key was used before, for another request.",
    "Use a new key for each new request, and the same key only to repeat one.",
  ],
  "rate-limited": [
    429,
    "More requests came from this caller than the limit allows.",
    "Wait as long as Retry-After says; RateLimit tells in every answer how much is left.",
  ],
  "header-too-large": [
    431,
    "The headers are larger than 16 KiB.",
    "Send fewer or shorter headers; large cookies are a usual cause.",
  ],
  internal: [
    500,
    "Something went wrong here that should not have. Where outcome is unknown, it may have been after what was asked was done.",
    "Report it with the request_id, by which it is found in the log. A read, or a request with an Idempotency-Key, is safe to repeat.",
  ],
  "dependency-unavailable": [
    503,
    "A part of the system that this needs cannot be reached. Where outcome is unknown, it may have done what was asked before.",
    RETRY_SAFELY,
  ],
  draining: [
    503,
    "This process is about to stop and takes nothing new.",
    "Try again after Retry-After: another will answer.",
  ],
  overloaded: [
    503,
    "There is more work waiting than can be done in time.",
    "Try again after Retry-After, and then less often.",
  ],
  "upstream-timeout": [
    504,
    "The answer did not come in time. outcome says what became of the request: not-begun, it was not done and will not be; unknown, it may have been done.",
    RETRY_SAFELY,
  ],
  "storage-full": [
    507,
    "There is no space left to store this. What was stored stays, and can be read.",
    "Try again later: writing goes on by itself once there is space.",
  ],
} as const satisfies Readonly<Record<string, Row>>;

/** The name of a problem that belongs to the kit or the gateway: any contract may use it. */
export type KitProblem = keyof typeof KIT;

/** The types that belong to the kit and the gateway. */
export const kitProblems = Object.fromEntries(
  Object.entries(KIT).map(([code, row]) => [code, toType(code, row)]),
) as Readonly<Record<KitProblem, ProblemType>>;

function toType(code: string, [status, meaning, remedy]: Row): ProblemType {
  return { code, status, meaning, remedy };
}
