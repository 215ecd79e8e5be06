import { z } from "zod";
import { defineContract, operation } from "../../contract/contract.ts";
import { id, page, pageQuery, text, timestamp } from "../../contract/schemas.ts";

export const user = z
  .object({
    id,
    name: z.string(),
    email: z.string(),
    role: z.enum(["customer", "admin"]),
    created_at: timestamp,
  })
  .meta({ id: "User" });

const session = z
  .object({
    user,
    token: z.string(),
    token_type: z.literal("Bearer"),
    expires_in: z.int(),
  })
  .meta({ id: "Session" });

const email = text(3, 254).pipe(z.email("must be an e-mail address")).meta({ format: "email" });

/** Any text can be tried as a password; which ones may be chosen is the rules' to say. */
const password = text(1, 1_000).meta({ format: "password" });

export const users = defineContract({
  name: "users",
  errors: {
    "email-taken": "conflict",
    "weak-password": "unprocessable",
    "invalid-credentials": "unauthenticated",
  },
  operations: {
    registerUser: operation({
      method: "POST",
      path: "/users/register",
      access: "public",
      summary: "Create a user and sign in",
      input: z.strictObject({ name: text(1, 100), email, password }),
      output: session,
      status: 201,
      errors: ["email-taken", "weak-password"],
      location: ({ user }) => `/users/${user.id}`,
      signIn: true,
    }),
    loginUser: operation({
      method: "POST",
      path: "/users/login",
      access: "public",
      summary: "Sign in",
      input: z.strictObject({ email, password }),
      output: session,
      errors: ["invalid-credentials"],
      signIn: true,
    }),
    getMe: operation({
      method: "GET",
      path: "/users/me",
      access: "user",
      summary: "The signed-in user",
      input: z.strictObject({}),
      output: user,
      errors: ["not-found"],
    }),
    getUser: operation({
      method: "GET",
      path: "/users/{id}",
      access: "user",
      summary: "One user: oneself, or anyone for an admin",
      input: z.strictObject({ id }),
      output: user,
      errors: ["not-found"],
    }),
    listUsers: operation({
      method: "GET",
      path: "/users",
      access: "admin",
      summary: "List all users",
      input: z.strictObject(pageQuery),
      output: page(user),
      errors: [],
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
      errors: [],
    }),
  },
  events: {},
});
