import { joinSql, type Query, sql } from "../../sql.ts";

/**
 * What tells one incarnation of a server from another, which may have forgotten rows: the cluster; its timeline, which another one
 * follows at a promotion or a restore to a point in time; the start of the server, for a copy of its folder; and the table, for a dump
 * that was restored. Any role may ask. test/bus/simulation shows what goes wrong without each.
 */
export const INCARNATION = {
  cluster: sql`(SELECT system_identifier FROM pg_control_system())`,
  timeline: sql`substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)`,
  startedAt: sql`extract(epoch FROM pg_postmaster_start_time())`,
  table: sql`'outbox_head'::regclass::oid`,
} satisfies Record<string, Query>;

/** The name of the rows that are numbered now. */
export const EPOCH = sql<string>`left(encode(sha256(convert_to(concat_ws(' ', ${joinSql(Object.values(INCARNATION), ", ")}), 'UTF8')), 'hex'), 24)`;
