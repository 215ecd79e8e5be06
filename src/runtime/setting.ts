import { flagOf } from "./command-line.ts";

/** One setting: an environment variable `X_Y` that is also the flag `--x-y`. */
export interface Setting<T> {
  /** What is expected, in words, for the person whose value is not it. */
  readonly expected: string;
  /** What it is for, one line of `--help`. */
  readonly meaning: string;
  readonly fallback: T;
  /** The fallback as one would write it, where that is not plain. */
  readonly usual?: string;
  /** A secret is never printed: any value, or one that has a secret in it. */
  readonly secret?: true | ((text: string) => boolean);
  /** The value of a text, or undefined when the text is not what is expected. */
  parse(text: string): T | undefined;
  /**
   * Why a value of the environment is passed over, in words: nobody meant it for this program, or a standard says so.
   * A flag is always meant.
   */
  passesOver?(text: string): string | undefined;
}

export function integer(min: number, max: number, fallback: number, meaning: string): Setting<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    meaning,
    fallback,
    parse: (text) => (/^\d{1,15}$/.test(text) && +text >= min && +text <= max ? +text : undefined),
  };
}

export function oneOf<const T extends string>(values: readonly T[], fallback: T, meaning: string): Setting<T> {
  return {
    expected: values.join(" or "),
    meaning,
    fallback,
    parse: (text) => values.find((value) => value === text.toLowerCase()),
  };
}

export function text(expected: string, fallback: string, meaning: string): Setting<string> {
  return { expected, meaning, fallback, parse: (value) => (value.trim() === "" ? undefined : value) };
}

/** On, off, or what the environment decides when it is left out. */
export function toggle(meaning: string): Setting<boolean | undefined> {
  return {
    expected: "on or off",
    meaning,
    fallback: undefined,
    parse: (value) => (/^(on|true|1)$/i.test(value) ? true : /^(off|false|0)$/i.test(value) ? false : undefined),
  };
}

/**
 * A setting of OpenTelemetry, which an environment has for all its programs: a value that cannot be is warned of and
 * passed over (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
export function ofOpenTelemetry<T>(setting: Setting<T>): Setting<T> {
  return {
    ...setting,
    passesOver: (text) =>
      setting.parse(text) === undefined ? `passed over, for it would have to be ${setting.expected}` : undefined,
  };
}

/** A value that may be left out altogether. */
export function optional<T>(
  expected: string,
  meaning: string,
  parse: (text: string) => T | undefined,
  secret = false,
): Setting<T | undefined> {
  return { expected, meaning, fallback: undefined, parse, ...(secret ? { secret } : {}) };
}

/** A URL with one of these protocols, such as `http:`. */
export function url(protocols: readonly string[], meaning: string): Setting<string | undefined> {
  return optional(`a URL that begins with ${protocols.map((p) => `${p}//`).join(" or ")}`, meaning, (value) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol) ? value.replace(/\/+$/, "") : undefined,
  );
}

/** Where an HTTP service is: a URL with one of these protocols that has no more than a host and a port. */
export function origin(protocols: readonly string[], meaning: string): Setting<string | undefined> {
  return optional(`${protocols.map((p) => `${p}//host:port`).join(" or ")} without a path`, meaning, (value) => {
    if (!URL.canParse(value)) return undefined;
    const url = new URL(value);
    return protocols.includes(url.protocol) && url.href === `${url.origin}/` ? url.origin : undefined;
  });
}

/** Where the replicas of an HTTP service are: such URLs, separated by commas, each once. */
export function origins(protocols: readonly string[], meaning: string): Setting<readonly string[] | undefined> {
  const one = origin(protocols, meaning);
  return optional(`${one.expected}, or several, separated by commas`, meaning, (value) => {
    const found = value.split(",").map((each) => one.parse(each.trim()));
    const known = found.filter((each) => each !== undefined);
    return known.length === found.length && new Set(known).size === known.length ? known : undefined;
  });
}

/** What a parser that throws makes of a text: undefined when it throws. */
export function tried<T>(parse: (text: string) => T): (text: string) => T | undefined {
  return (value) => {
    try {
      return parse(value);
    } catch {
      return undefined;
    }
  };
}

type ValueOf<S> = S extends Setting<infer T> ? T : never;
export type ValuesOf<T extends Readonly<Record<string, Setting<unknown>>>> = {
  readonly [K in keyof T]: ValueOf<T[K]>;
};

/**
 * Reads all settings, flags before environment.
 * @param flags the texts of flags, by the names of their settings
 * @returns the values, every mistake as one line (name, value but of a secret, what is expected), the names of the
 *   settings whose value cannot be, and a line for each that was passed over, by its name
 */
export function readSettings<T extends Readonly<Record<string, Setting<unknown>>>>(
  table: T,
  flags: ReadonlyMap<string, string>,
  env: Readonly<Record<string, string | undefined>>,
): { values: ValuesOf<T>; mistakes: string[]; wrong: ReadonlySet<string>; passedOver: ReadonlyMap<string, string> } {
  const mistakes: string[] = [];
  const wrong = new Set<string>();
  const passedOver = new Map<string, string>();
  const values = Object.entries(table).map(([name, setting]) => {
    const flag = flags.get(name);
    const given = flag ?? env[name];
    if (given === undefined || given === "") return [name, setting.fallback];
    const why = flag === undefined ? setting.passesOver?.(given) : undefined;
    if (why !== undefined) {
      passedOver.set(name, `${name}=${given}: ${why}`);
      return [name, setting.fallback];
    }
    const value = setting.parse(given);
    if (value === undefined) {
      wrong.add(name);
      mistakes.push(`${name}=${shown(given, setting)}: expected ${setting.expected}`);
    }
    return [name, value ?? setting.fallback];
  });
  return { values: Object.fromEntries(values) as ValuesOf<T>, mistakes, wrong, passedOver };
}

function shown(value: string, { secret }: Setting<unknown>): string {
  const isSecret = typeof secret === "function" ? secret(value) : secret === true;
  return isSecret ? "(not shown)" : value;
}

/** The table as lines of help. */
export function describeSettings(table: Readonly<Record<string, Setting<unknown>>>): string {
  const width = Math.max(...Object.keys(table).map((name) => name.length)) + 6;
  return Object.entries(table)
    .map(([name, setting]) => `  ${`--${flagOf(name)}`.padEnd(width)}${describeSetting(setting)}`)
    .join("\n");
}

function describeSetting({ meaning, expected, fallback, usual }: Setting<unknown>): string {
  const plain = typeof fallback === "string" || typeof fallback === "number" ? String(fallback) : usual;
  return `${meaning} (${expected}${plain === undefined ? "" : `; ${plain} if left out`})`;
}
