import { MODULES } from "../support/databases.ts";
import { ask } from "../support/postgres.ts";

/**
 * Makes a database refuse some of all statements that write, and some of the COMMITs, as it does where others were in the way (40001).
 * @param url of the superuser, once the modules have made their tables
 * @param probability with which each is
 * @param schemas whose tables are concerned
 * @returns how many were, so far
 */
export async function injectConflicts(
  url: string,
  probability: number,
  schemas: readonly string[] = MODULES,
): Promise<() => Promise<number>> {
  const names = schemas.map((name) => `'${name}'`).join(", ");
  await ask(
    url,
    `CREATE SEQUENCE public.refused;
    GRANT USAGE ON SEQUENCE public.refused TO PUBLIC;
    CREATE FUNCTION public.refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF random() < ${probability} THEN
        PERFORM nextval('public.refused');
        RAISE EXCEPTION 'others are said to be in the way' USING ERRCODE = 'serialization_failure';
      END IF;
      RETURN NULL;
    END $$;
    DO $$
    DECLARE every regclass;
    BEGIN
      FOR every IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace::regnamespace::text IN (${names}) LOOP
        EXECUTE format('CREATE TRIGGER refuse_some AFTER INSERT OR UPDATE OR DELETE ON %s
          FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_some()', every);
      END LOOP;
      FOR every IN SELECT oid FROM pg_class WHERE relname IN ('commit_witnesses', 'outbox_head')
        AND relnamespace::regnamespace::text IN (${names}) LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER refuse_commit AFTER UPDATE ON %s
          DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.refuse_some()', every);
      END LOOP;
    END $$`,
  );
  return async () => {
    const [found] = await ask<{ count: string }>(
      url,
      "SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS count FROM public.refused",
    );
    return Number(found?.count);
  };
}
