/** How many calls are being served, for whoever closes what serves them. */
export class UnderWay {
  #count = 0;
  #onNone: (() => void) | undefined;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#onNone?.();
  }

  /** Resolves when there is none; false when there still are some after so long. One may ask at a time. */
  none(timeoutMs: number): Promise<boolean> {
    if (this.#count === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#onNone = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
