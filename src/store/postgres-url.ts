/** What a URL may ask of a server; a shop that could only read would be of no use. */
const ATTRIBUTES: readonly (string | null)[] = [null, "read-write", "primary"];

/** User and password, hosts, and the rest of a URL. */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s;

/**
 * A URL of PostgreSQL may name several servers, one of which is written to: `postgres://shop@one:5432,other/shop?target_session_attrs=read-write`,
 * as libpq has it (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS).
 * @returns the URL of each, in their order; undefined when it is no such URL, or asks for a server that is only read
 */
export function urlsOfHosts(url: string): readonly string[] | undefined {
  const [, before = "", hosts = "", after = ""] = PARTS.exec(url) ?? [];
  const urls = hosts.split(",").map((host) => before + host + after);
  const areUrls = urls.every((each) => before !== "" && URL.canParse(each));
  if (!areUrls || (urls.length > 1 && /^,|,,|,$/.test(hosts))) return undefined;
  const [first = ""] = urls;
  return ATTRIBUTES.includes(new URL(first).searchParams.get("target_session_attrs")) ? urls : undefined;
}
