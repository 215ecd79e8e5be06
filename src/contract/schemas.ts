import { z } from "zod";
import { isCurrency } from "./currencies.ts";

/** The types that contracts share, so that an id or a page means the same everywhere. */

/** A UUID; ours are version 7 (RFC 9562), whose order is that of time. Capitals mean the same. */
export const id = z
  .uuid("must be a UUID")
  .toLowerCase()
  .meta({ examples: ["01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b"] });

/** RFC 3339, UTC. */
export const timestamp = z.iso.datetime().meta({ examples: ["2026-01-31T09:30:00.000Z"] });

/** A price in minor units of a currency, such as cents: a laptop is 1,500,000,000 of the rupiah's. */
export const priceCents = z
  .int()
  .min(0)
  .max(1_000_000_000_000)
  .meta({ examples: [1_999] });

/** What a price is in. */
export const currency = z
  .string()
  .refine(isCurrency, "must be a currency's code of ISO 4217, such as USD")
  .meta({ pattern: "^[A-Z]{3}$", description: "An active code of ISO 4217", examples: ["USD"] });

/** A key that makes a retry safe; chosen by the client, its own per user. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/, "must be 1 to 255 visible ASCII characters")
  .meta({ examples: ["8e03978e-40d5-43dd-bc93-6894a57f9324"] });

/** A member of what an idempotent operation answers: true when the answer is that of the first request with the same key. */
export const replayed = z.literal(true).optional();

/** Text of `min` to `max` characters (code points) that every database and terminal can hold: no NUL, no lone surrogate. */
export function text(min: number, max: number) {
  return z
    .string()
    .min(min)
    .max(max * 2)
    .refine((value) => value.isWellFormed() && !value.includes("\0"), "must not hold NUL or a lone surrogate")
    .refine((value) => [...value].length <= max, `must have at most ${max} characters`)
    .meta({ minLength: min, maxLength: max });
}

/**
 * Controls, line and paragraph separators, what changes the direction of the text that follows (Unicode, UAX 9) or, as it was done
 * before, how it is shown, and what begins a note between the lines.
 */
const MISLEADING = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u206F\uFFF9-\uFFFB]/u;

/** At least one character that is neither a space nor invisible, fillers among them. */
const VISIBLE = /[^\p{Z}\p{C}\p{M}\u115F\u1160\u2800\u3164\uFFA0]/u;

/** Whether a text holds anything that can be seen. */
export function isVisible(value: string): boolean {
  return VISIBLE.test(value);
}

/** What a person or a thing is called, in 1 to `max` characters, for others to read: without the spaces around it. */
export function name(max: number) {
  return z
    .string()
    .trim()
    .refine((value) => value.isWellFormed(), "must not hold a lone surrogate")
    .refine(
      (value) => !MISLEADING.test(value),
      "must not hold control characters, or such as change the direction of text",
    )
    .refine(isVisible, "must hold something that can be seen")
    .refine((value) => [...value].length <= max, `must have at most ${max} characters`)
    .meta({
      description:
        "Kept without the spaces around it; holds no control characters, nor such as change the direction of text",
      minLength: 1,
      maxLength: max,
    });
}

/** What a browser's field for it lets through (WHATWG HTML, "valid e-mail address"), of at most 254 characters (RFC 5321, 4.5.3.1.3). */
export const emailAddress = text(3, 254)
  .pipe(z.email({ pattern: z.regexes.html5Email, error: "must be an e-mail address" }))
  .meta({
    format: "email",
    description: "A valid e-mail address as HTML defines it; case makes no difference",
    examples: ["ada@example.com"],
  });

/** The query of a list, newest first. A cursor is opaque to callers: the id after which the page starts. */
export const pageQuery = {
  limit: z.int().min(1).max(100).default(20),
  cursor: z
    .string()
    .transform((value, ctx) => {
      const decoded = id.safeParse(Buffer.from(value, "base64url").toString("latin1"));
      if (decoded.success && cursorOf(decoded.data) === value) return decoded.data;
      ctx.addIssue("is not a cursor that a list answered");
      return z.NEVER;
    })
    .optional(),
};

/** The answer of a list. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({
    data: z.array(item),
    next_cursor: z
      .string()
      .nullable()
      .meta({ description: "Null on the last page", examples: [null] }),
  });
}

/**
 * Makes a page of rows that were read one more than asked for, which tells whether there is a next page.
 * @param cursorAfter of the page that starts after a row, where the list is not by id alone
 */
export function pageOf<T extends { readonly id: string }>(
  rows: readonly T[],
  limit: number,
  cursorAfter: (last: T) => string = ({ id }) => cursorOf(id),
) {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, next_cursor: rows.length > limit && last !== undefined ? cursorAfter(last) : null };
}

/** The cursor of the page that starts after this id. */
export function cursorOf(lastId: string): string {
  return Buffer.from(lastId, "latin1").toString("base64url");
}
