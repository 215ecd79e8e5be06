/** A server that may be the one which is written to. */
export interface Host {
  readonly host: string;
  readonly port: number;
}

/** The servers of a URL, and which of them the next connection is made to: the one that was reached last. */
export class Hosts {
  readonly all: readonly Host[];
  #at = 0;

  /** @param all one at least, in the order in which they are tried */
  constructor(all: readonly Host[]) {
    this.all = all;
  }

  get current(): Host | undefined {
    return this.all[this.#at];
  }

  /** One could not be reached, or only reads; whoever finds that out first goes on to the next. */
  passBy(host: Host | undefined): void {
    if (host === this.current) this.#at = (this.#at + 1) % this.all.length;
  }
}
