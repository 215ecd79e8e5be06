/**
 * Puts tables in an order in which each comes after those that it refers to.
 * @param referredBy the names of these; one's own, and those of tables that are not among them, do not count
 */
export function referredFirst<T extends { readonly name: string }>(
  tables: readonly T[],
  referredBy: (table: T) => readonly string[],
): T[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const sorted = new Set<T>();
  const add = (table: T | undefined) => {
    if (table === undefined || sorted.has(table)) return;
    for (const referred of referredBy(table)) if (referred !== table.name) add(byName.get(referred));
    sorted.add(table);
  };
  for (const table of tables) add(table);
  return [...sorted];
}
