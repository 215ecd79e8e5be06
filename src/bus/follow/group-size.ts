/**
 * How many rows go together. The more it does, the likelier is a transaction that others are in its way, again and again: half as many
 * after each time that the environment prevented it, and one more after each that it did not.
 */
export class GroupSize {
  readonly #most: number;
  now: number;

  constructor(most: number) {
    this.#most = most;
    this.now = most;
  }

  prevented(): void {
    this.now = Math.ceil(this.now / 2);
  }

  worked(): void {
    this.now = Math.min(this.now + 1, this.#most);
  }
}
