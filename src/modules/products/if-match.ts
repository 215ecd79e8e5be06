/**
 * Whether an `If-Match` header holds for a representation with this tag (RFC 9110, 13.1.1): `*`, or a list
 * with the same tag by strong comparison (8.8.3.2), for which a weak tag is never the same as anything. What
 * is not an entity tag matches nothing.
 *
 * @param etag strong, quotes included
 */
export function matchesStrongly(ifMatch: string, etag: string): boolean {
  if (ifMatch.trim() === "*") return true;
  return [...ifMatch.matchAll(ENTITY_TAG)].some(([, weak, tag]) => weak === undefined && tag === etag);
}

/** A comma may be part of a tag, so the list cannot simply be split at commas. */
const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g;
