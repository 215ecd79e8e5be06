import { Query, type Value } from "./sql.ts";

/** A statement as its engine keeps it. */
export interface Known<Prepared> {
  readonly prepared: Prepared;
  /** What is put in: parts by their places, and undefined for values; undefined where there are values alone. */
  readonly parts: readonly (Query | undefined)[] | undefined;
}

export interface RenderedOptions<Prepared> {
  /** What this engine is given of a query, where others are given something else. */
  readonly speak: (query: Query) => Query;
  /** What stands in the text for the value of this number, from 1. */
  readonly placeholder: (number: number) => string;
  /** Called once for each text. */
  readonly prepare: (text: string) => Prepared;
}

/** The statements of an engine, each written and prepared at its first use. */
export class Rendered<Prepared> {
  readonly #options: RenderedOptions<Prepared>;
  /** Those whose parts are the same each time, and have no values of their own. */
  readonly #byTemplate = new WeakMap<readonly string[], Known<Prepared>>();
  readonly #byText = new Map<string, Prepared>();

  constructor(options: RenderedOptions<Prepared>) {
    this.#options = options;
  }

  /** @throws whatever `prepare` throws */
  find(query: Query): Known<Prepared> {
    const spoken = this.#options.speak(query);
    const known = this.#byTemplate.get(spoken.strings);
    return known !== undefined && hasParts(spoken, known.parts) ? known : this.#prepare(spoken);
  }

  /** The values of a query that was found, in the order of their places. */
  valuesOf(query: Query, { parts }: Known<Prepared>): readonly Value[] {
    const { values } = this.#options.speak(query);
    return parts === undefined ? (values as readonly Value[]) : this.#flatten(values);
  }

  #prepare(query: Query): Known<Prepared> {
    const parts = query.values.map((value) => (value instanceof Query ? value : undefined));
    const text = this.#write(query, { values: 0 });
    const prepared = this.#byText.get(text) ?? this.#options.prepare(text);
    this.#byText.set(text, prepared);
    const known = { prepared, parts: parts.some((part) => part !== undefined) ? parts : undefined };
    if (parts.every((part) => part === undefined || this.#options.speak(part).values.length === 0)) {
      this.#byTemplate.set(query.strings, known);
    }
    return known;
  }

  #write({ strings, values }: Query, written: { values: number }): string {
    return strings.reduce((text, string, index) => `${text}${this.#place(values[index - 1], written)}${string}`);
  }

  #place(value: Query["values"][number] | undefined, written: { values: number }): string {
    if (value instanceof Query) return this.#write(this.#options.speak(value), written);
    written.values += 1;
    return this.#options.placeholder(written.values);
  }

  #flatten(values: Query["values"], into: Value[] = []): Value[] {
    for (const value of values) {
      if (value instanceof Query) this.#flatten(this.#options.speak(value).values, into);
      else into.push(value);
    }
    return into;
  }
}

function hasParts({ values }: Query, parts: Known<unknown>["parts"]): boolean {
  return parts === undefined || parts.every((part, index) => part === undefined || part === values[index]);
}
