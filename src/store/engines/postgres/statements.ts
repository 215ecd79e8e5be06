import type { QueryConfig } from "pg";
import { Rendered } from "../../rendered.ts";
import type { Query } from "../../sql.ts";

interface Prepared {
  readonly text: string;
  readonly name: string | undefined;
}

/** Writes statements as the driver takes them. Each has a name, by which every connection prepares it once. */
export class Statements {
  readonly #plain: Rendered<Prepared>;
  readonly #locking: Rendered<Prepared>;
  #named = 0;

  /** @param pooled whether the next statement may have another connection, which has not prepared it */
  constructor(pooled: boolean) {
    const dialect = {
      speak: (query: Query) => query.postgres ?? query,
      placeholder: (number: number) => `$${number}`,
    };
    const prepare = (text: string) => ({ text, name: pooled ? undefined : `s${++this.#named}` });
    this.#plain = new Rendered({ ...dialect, prepare });
    this.#locking = new Rendered({ ...dialect, prepare: (text) => prepare(`${text} FOR UPDATE`) });
  }

  /** @param locks whether it locks the rows that it finds, until the transaction ends */
  write(query: Query, locks = false): QueryConfig<unknown[]> {
    const rendered = locks ? this.#locking : this.#plain;
    const known = rendered.find(query);
    return { ...known.prepared, values: rendered.valuesOf(query, known) } as QueryConfig<unknown[]>;
  }
}
