const LINE_FEED = 10;

/** The lines of a file, kept as they are read: a `Set` of fifty thousand takes 4 MB, and 20 ms to make. */
export class SortedLines {
  readonly #bytes: Buffer;

  /** @param bytes of lines in the order of their bytes */
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Whether this is one of them, as a whole. */
  has(line: string): boolean {
    const sought = Buffer.from(line);
    let from = 0;
    let to = this.#bytes.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const begin = middle === 0 ? 0 : this.#bytes.lastIndexOf(LINE_FEED, middle - 1) + 1;
      const end = this.#endOf(middle);
      const order = sought.compare(this.#bytes, begin, end);
      if (order === 0) return true;
      if (order < 0) to = begin;
      else from = end + 1;
    }
    return false;
  }

  #endOf(middle: number): number {
    const end = this.#bytes.indexOf(LINE_FEED, middle);
    return end < 0 ? this.#bytes.length : end;
  }
}
