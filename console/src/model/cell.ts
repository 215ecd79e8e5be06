/** A value that tells those who watch it when it has become another. */
export interface Cell<T> {
  get(): T;
  set(value: T): void;
  /** Calls back after every change. Returns the way to stop it. */
  watch(onChange: () => void): () => void;
}

/** What can be watched, whatever it holds. */
export type Watchable = Pick<Cell<unknown>, "watch">;

export function createCell<T>(initial: T): Cell<T> {
  let value = initial;
  const watchers = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const onChange of [...watchers]) onChange();
    },
    watch(onChange) {
      watchers.add(onChange);
      return () => watchers.delete(onChange);
    },
  };
}
