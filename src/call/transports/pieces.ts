/** The text of an answer, piece by piece as it comes, for one reader. */
export class Pieces implements AsyncIterable<string> {
  #text = "";
  #isOver = false;
  #fault: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  push(text: string): void {
    this.#text += text;
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** Its reader gets what has come, and then the error. */
  fail(error: unknown): void {
    this.#fault = { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const text = this.#text;
      this.#text = "";
      if (text !== "") yield text;
      else if (this.#fault !== undefined) throw this.#fault.error;
      else if (this.#isOver) return;
      else await new Promise<void>((wake) => (this.#wake = wake));
    }
  }
}
