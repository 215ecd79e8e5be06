/** The processes of Redis Sentinel that know which server is the primary at the moment, and what it takes to use that. */
export interface Sentinels {
  readonly addresses: readonly Address[];
  /** What they call the primary. */
  readonly name: string;
  readonly db: number;
  /** How to sign in to the primary; empty where that asks nobody. */
  readonly username: string;
  readonly password: string;
  /** The sentinels' own, empty where they ask nobody. */
  readonly sentinelPassword: string;
  /** Whether all of them speak TLS. */
  readonly tls: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const SENTINEL_PORT = 26_379;

/** Scheme, who signs in, addresses, name and number of the database, query. */
const URL_OF_SENTINELS =
  /^(rediss?)\+sentinel:\/\/(?:([^/]*)@)?([^/?#@]+)\/([^/?#]+)(?:\/(\d{1,9}))?\/?(?:\?([^#]*))?$/;
const ADDRESS = /^(\[[\da-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/i;
const PASSWORD_FIELD = "sentinel_password";

/** What such a URL looks like, for whoever has to write one. */
export const sentinelUrlForm = "redis+sentinel://host:port,host:port/name";

/**
 * Reads a URL as other programs have it, too: `redis+sentinel://[user:password@]host[:26379][,host…]/name[/db]`, with `rediss` where all
 * of them speak TLS, and `?sentinel_password=…` where the sentinels ask for one.
 * @returns undefined for what is none
 */
export function parseSentinelUrl(text: string): Sentinels | undefined {
  const [, scheme, user = "", list = "", name = "", db = "0", query = ""] = URL_OF_SENTINELS.exec(text) ?? [];
  const addresses = list.split(",").map(parseAddress);
  const known = addresses.filter((address) => address !== undefined);
  const fields = new URLSearchParams(query);
  if (scheme === undefined || known.length < addresses.length) return undefined;
  if ([...fields.keys()].some((field) => field !== PASSWORD_FIELD)) return undefined;
  try {
    const [username = "", ...password] = user.split(":");
    return {
      addresses: known,
      name: decodeURIComponent(name),
      db: Number(db),
      username: decodeURIComponent(username),
      password: decodeURIComponent(password.join(":")),
      sentinelPassword: fields.get(PASSWORD_FIELD) ?? "",
      tls: scheme === "rediss",
    };
  } catch {
    return undefined; // it is not encoded as a URL is
  }
}

function parseAddress(text: string): Address | undefined {
  const [, host, port = SENTINEL_PORT] = ADDRESS.exec(text.trim()) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
