interface Caller<Name extends string> {
  readonly name: Name;
  readonly calls: readonly Name[];
}

/**
 * Puts modules in a row so that arrows of calls are short: one after the other, each where they are shortest, and where that makes no
 * difference, at the end.
 */
export function arrange<Name extends string>(modules: readonly Caller<Name>[]): readonly Name[] {
  let row: readonly Name[] = [];
  for (const { name } of modules) {
    const places = Array.from({ length: row.length + 1 }, (_, at) => row.toSpliced(at, 0, name));
    row = places.reduceRight((best, next) =>
      lengthOfCalls(next, modules) < lengthOfCalls(best, modules) ? next : best,
    );
  }
  return row;
}

/** The sum over all calls of how many places lie between the two. */
function lengthOfCalls<Name extends string>(row: readonly Name[], modules: readonly Caller<Name>[]): number {
  const lengths = modules.flatMap(({ name, calls }) =>
    calls
      .filter((callee) => row.includes(callee) && row.includes(name))
      .map((callee) => Math.abs(row.indexOf(callee) - row.indexOf(name))),
  );
  return lengths.reduce((sum, length) => sum + length, 0);
}
