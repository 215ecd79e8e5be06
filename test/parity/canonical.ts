const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const WHOLE_UUID = new RegExp(`^${UUID.source}$`);
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
/** A list's cursor: an id in base64url. */
const CURSOR = /(?<![\w-])[\w-]{48}(?![\w-])/g;
/** One of a list in another order: that order, the key and the id, as JSON in base64url. */
const SORTED_CURSOR = /(?<![\w-])Wy[IJ][\w-]{40,}/g;
const ETAG = /"[\w-]{22}"/g;
const TRACEPARENT = /00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/g;

/** Members whose values are drawn or computed from what was: the same value gets the same name. */
const NAMED: Readonly<Record<string, string>> = {
  kid: "kid",
  x: "coordinate",
  y: "coordinate",
  epoch: "epoch",
  previous_epoch: "epoch",
  fingerprint: "fingerprint",
  lane: "lane",
};

/**
 * Makes what two runs of the same calls answer comparable: ids, times, tokens, tags and whatever else is drawn anew
 * each time gets a name by its first appearance, so that the same id has the same name, and different ones differ.
 */
export class Canonical {
  readonly #names: Map<string, string>;
  readonly #counts: Map<string, number>;

  constructor(names = new Map<string, string>(), counts = new Map<string, number>()) {
    this.#names = names;
    this.#counts = counts;
  }

  /** Another that knows the same names, and finds its own from now on. */
  copy(): Canonical {
    return new Canonical(new Map(this.#names), new Map(this.#counts));
  }

  /** The same value with names in it. */
  of(value: unknown, member = ""): unknown {
    if (typeof value === "string") return this.#text(value, member);
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [this.#plain(name), this.of(item, name)]));
    }
    return /^(kept_at|since|seen|wait_until|forget_at)_ms$/.test(member) ? "<ms>" : value;
  }

  #text(text: string, member: string): string {
    const kind = NAMED[member];
    if (kind !== undefined) return text === "" ? "" : this.#name(kind, text);
    if (member === "password_hash") return `<bcrypt at ${text.slice(4, 6)}>`;
    if (/(^private_key|^sealed|_hash|refresh_token)$/.test(member)) return `<${member}>`;
    return this.#plain(text);
  }

  #plain(text: string): string {
    return text
      .replace(JWT, (token) => this.#token(token))
      .replace(CURSOR, (cursor) => this.#cursor(cursor))
      .replace(SORTED_CURSOR, (cursor) => this.#plain(`<cursor ${Buffer.from(cursor, "base64url")}>`))
      .replace(TRACEPARENT, (_, trace, _span, flags) => `00-${this.#name("trace", trace)}-<span>-${flags}`)
      .replace(UUID, (id) => this.#name("id", id))
      .replace(TIME, "<time>")
      .replace(ETAG, (tag) => `"${this.#name("tag", tag)}"`);
  }

  #name(kind: string, value: string): string {
    const known = this.#names.get(value);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    const name = `<${kind} ${count}>`;
    this.#counts.set(kind, count);
    this.#names.set(value, name);
    return name;
  }

  /** What a token says, without what is drawn: whom it names, with which key, for how long. */
  #token(token: string): string {
    try {
      const [header, claims] = token.split(".", 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
      const { jti: _jti, iat, exp, ...rest } = claims;
      return `<token ${JSON.stringify(this.of({ ...header, ...rest, seconds: exp - iat }))}>`;
    } catch {
      return token;
    }
  }

  #cursor(text: string): string {
    const id = Buffer.from(text, "base64url").toString("latin1");
    return WHOLE_UUID.test(id) ? `<cursor at ${this.#name("id", id)}>` : text;
  }
}
