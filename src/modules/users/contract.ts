import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import {
  emailAddress,
  id,
  idempotencyKey,
  name,
  page,
  pageQuery,
  replayed,
  text,
  timestamp,
} from "../../contract/schemas.ts";

const REFRESH_TOKEN = "Zm9yIG9uZSByZWZyZXNo";

export const user = z
  .object({
    id,
    name: z.string().meta({ examples: ["Ada"] }),
    email: z.string().meta({ examples: ["ada@example.com"] }),
    role: z.enum(["customer", "admin"]),
    created_at: timestamp,
  })
  .meta({ id: "User" });

const session = z
  .object({
    user,
    token: z.string().meta({ description: "A JWT, for the Authorization header", examples: ["eyJhbGciOiJFUzI1NiJ9…"] }),
    token_type: z.literal("Bearer"),
    expires_in: z.int().meta({ examples: [3_600], description: "Seconds that the token lives" }),
    refresh_token: z.string().meta({
      description: "Good for one refresh; to be kept as secret as a password",
      examples: [REFRESH_TOKEN],
    }),
  })
  .meta({ id: "Session" });

/** What a user gets who has signed in. */
export type Session = z.output<typeof session>;

/** Any text can be tried as a password; which ones may be chosen is the rules' to say. */
const password = text(1, 1_000).meta({ format: "password", examples: ["correct horse battery"] });

/** Opaque: whatever else comes is answered as a token that is not good. */
const refreshToken = text(1, 1_000).meta({ format: "password" });

export const users = defineContract({
  name: "users",
  problems: {
    "email-taken": {
      kind: "conflict",
      meaning: "There is a user with this e-mail address.",
      remedy: "Sign in, or register with another address.",
    },
    "weak-password": {
      kind: "unprocessable",
      meaning: "The password is too short, too long, or among those that are guessed first.",
      remedy: "Choose another; the detail says what is wrong with this one.",
    },
    "invalid-credentials": {
      kind: "unauthenticated",
      meaning: "The e-mail address or the password is wrong; which of the two is not told.",
      remedy: "Check both, then try again.",
    },
    "too-many-attempts": {
      kind: "too-many",
      meaning: "Too many sign-ins to this account failed lately.",
      remedy:
        "Wait as long as Retry-After says. A device that has signed in before may send its refresh token along, and need not wait.",
    },
  },
  operations: {
    registerUser: operation({
      method: "POST",
      path: "/users/register",
      access: "public",
      idempotent: true,
      summary: "Create a user and sign in",
      input: z.strictObject({
        name: name(100).meta({ examples: ["Ada"] }),
        email: emailAddress,
        password,
        idempotencyKey: idempotencyKey.optional(),
      }),
      output: session.extend({ replayed }),
      status: 201,
      problems: ["email-taken", "weak-password", "too-many-attempts"],
      location: ({ user }) => `/users/${user.id}`,
      budget: "sign-in",
    }),
    loginUser: operation({
      method: "POST",
      path: "/users/login",
      access: "public",
      summary: "Sign in",
      input: z.strictObject({
        email: emailAddress,
        password,
        refresh_token: refreshToken.optional().meta({
          description:
            "A refresh token that this device was given before, spent or not: while others guess the password, a known device need not wait for them",
        }),
      }),
      output: session,
      problems: ["invalid-credentials", "too-many-attempts"],
      budget: "sign-in",
    }),
    refreshSession: operation({
      method: "POST",
      path: "/users/refresh",
      access: "public",
      summary: "Exchange a refresh token for a new token and the next refresh token",
      input: z.strictObject({
        refresh_token: refreshToken.meta({
          description:
            "The newest that was got. The same again within ten seconds, as from a second tab, gets one that is good as well; later it is taken for stolen, and the session ends",
          examples: [REFRESH_TOKEN],
        }),
        idempotencyKey: idempotencyKey.optional(),
      }),
      inputHeaders: { idempotencyKey: { name: "Idempotency-Key" } },
      output: session,
      problems: ["invalid-token"],
      budget: "refresh",
    }),
    logoutUser: operation({
      method: "POST",
      path: "/users/logout",
      access: "public",
      summary: "End the session of a refresh token, which proves enough; one that is not good has no session to end",
      input: z.strictObject({ refresh_token: refreshToken.meta({ examples: [REFRESH_TOKEN] }) }),
      output: z.object({}),
      status: 204,
      problems: [],
    }),
    changePassword: operation({
      method: "POST",
      path: "/users/me/password",
      access: "user",
      summary: "Change one's password, which ends all sessions",
      input: z.strictObject({ current_password: password, new_password: password }),
      output: z.object({}),
      status: 204,
      problems: ["invalid-credentials", "weak-password", "too-many-attempts"],
      budget: "sign-in",
    }),
    eraseMe: operation({
      method: "DELETE",
      path: "/users/me",
      access: "user",
      summary: "Erase oneself: the account and all that tells of the person; orders stay, without a name",
      input: z.strictObject({}),
      output: z.object({}),
      status: 204,
      problems: ["not-found", "forbidden"],
    }),
    getMe: operation({
      method: "GET",
      path: "/users/me",
      access: "user",
      summary: "The signed-in user",
      input: z.strictObject({}),
      output: user,
      problems: ["not-found"],
    }),
    getUser: operation({
      method: "GET",
      path: "/users/{id}",
      access: "user",
      summary: "One user: oneself, or anyone for an admin",
      input: z.strictObject({ id }),
      output: user,
      problems: ["not-found"],
    }),
    listUsers: operation({
      method: "GET",
      path: "/users",
      access: "admin",
      summary: "List all users",
      input: z.strictObject(pageQuery),
      output: page(user),
      problems: [],
      paged: true,
    }),
    getJwks: operation({
      method: "GET",
      path: "/.well-known/jwks.json",
      access: "public",
      summary: "The public keys that tokens are signed with (RFC 7517)",
      input: z.strictObject({}),
      output: z.object({
        keys: z.array(
          z.object({
            kty: z.literal("EC"),
            crv: z.literal("P-256"),
            x: z.string(),
            y: z.string(),
            kid: z.string(),
            alg: z.literal("ES256"),
            use: z.literal("sig"),
          }),
        ),
      }),
      problems: [],
    }),
  },
  events: {},
});
