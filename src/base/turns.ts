/** Lets work of the same name happen one after the other, in the order in which it came; what has another name goes on beside it. */
export function createTurns(): <T>(name: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<void>>();
  return async (name, work) => {
    const before = last.get(name);
    const { promise: turn, resolve: end } = Promise.withResolvers<void>();
    last.set(name, turn);
    try {
      await before;
      return await work();
    } finally {
      if (last.get(name) === turn) last.delete(name);
      end();
    }
  };
}
