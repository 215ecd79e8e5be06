import type { Databases, ModuleName, Row, Standing, Tables } from "./databases.ts";
import { ask } from "./postgres.ts";

/** The databases of modules that have their schemas in one of PostgreSQL, looked at as its superuser. */
export function databasesInPostgres(url: string): Databases {
  return {
    tables: (module) => readSchema(url, module),
    async standing(module) {
      const [found] = await ask<{ standing: Standing }>(
        url,
        `SELECT json_build_object(
          'head', (SELECT json_build_object('epoch', epoch, 'seq', seq) FROM ${module}.outbox ORDER BY seq DESC LIMIT 1),
          'cursors', (SELECT coalesce(json_agg(json_build_object('publisher', publisher, 'epoch', epoch, 'seq', seq) ORDER BY id), '[]')
            FROM ${module}.cursors),
          'arrivals', (SELECT count(*) FROM ${module}.outbox_arrivals)) AS standing`,
      );
      if (found === undefined) throw new Error("no answer");
      return { ...found.standing, head: found.standing.head ?? undefined };
    },
  };
}

/** In the order in which rows were made, where that is kept, else of their keys. */
async function readSchema(url: string, module: ModuleName): Promise<Tables> {
  const tables = await ask<{ name: string; order: string }>(
    url,
    `SELECT relname AS name, coalesce(
        (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attname = 'rowid'),
        (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attname = 'id'),
        (SELECT string_agg(quote_ident(attname), ', ' ORDER BY n) FROM pg_index, unnest(indkey) WITH ORDINALITY AS k (number, n)
          JOIN pg_attribute ON attnum = number WHERE indrelid = c.oid AND attrelid = c.oid AND indisprimary),
        '1') AS order
      FROM pg_class AS c WHERE relkind = 'r' AND relnamespace = '${module}'::regnamespace ORDER BY relname COLLATE "C"`,
  );
  const read = tables.map(async ({ name, order }) => {
    const [found] = await ask<{ rows: Row[] }>(
      url,
      `SELECT coalesce(json_agg(t), '[]') AS rows FROM (SELECT * FROM ${module}.${name} ORDER BY ${order}) AS t`,
    );
    return [name, found?.rows ?? []] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}
