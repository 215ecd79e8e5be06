import { createHash } from "node:crypto";
import { escapeIdentifier } from "pg";
import { StoreRefusal } from "../../refusal.ts";
import { sql } from "../../sql.ts";
import { BEGIN_IN_TURN, connectionConfig } from "./connection.ts";
import type { PostgresPlace } from "./options.ts";
import { connectionReason } from "./postgres-fault.ts";
import { type Session, Sessions } from "./sessions.ts";
import { Statements } from "./statements.ts";

/** As whom a module uses its schema. */
export interface ModuleRole {
  /** What each connection acts as; undefined for the URL's role itself. */
  readonly role: string | undefined;
  /** What there is to know, in words. */
  readonly told: string | undefined;
}

export interface ModuleRoleOptions extends Pick<PostgresPlace, "url" | "password"> {
  /** The module's name, and its schema's. */
  readonly name: string;
}

/** The longest name that there is, in bytes. */
const LONGEST_NAME = 63;

/** The same for all who make roles in a database. */
const MAKING_ROLES = 0x71756172;

/**
 * Finds the role that a module's schema belongs to, in a database that modules share: none can see another's. Makes both where they are
 * not there. Where the URL's role may make none, the schema is its own.
 * @throws StoreRefusal when the server cannot be reached, or does not let it
 */
export async function findModuleRole({ name, url, password }: ModuleRoleOptions): Promise<ModuleRole> {
  const config = connectionConfig(name, { url, ...(password && { password }) }, name);
  const sessions = new Sessions({ config, statements: new Statements(true), most: 1 });
  try {
    return await sessions.use((session) => findOrMakeOwner(session, name));
  } catch (error) {
    const told = `${name}: its schema in PostgreSQL cannot be made or used: ${connectionReason(error)}`;
    throw new StoreRefusal(told, { cause: error });
  } finally {
    await sessions.close();
  }
}

async function findOrMakeOwner(session: Session, name: string): Promise<ModuleRole> {
  try {
    await session.command(BEGIN_IN_TURN);
    await session.ask(sql`SELECT pg_advisory_xact_lock(${MAKING_ROLES})`);
    const found = (await findOwner(session, name)) ?? (await makeOwner(session, name));
    await session.command("COMMIT");
    return found;
  } catch (error) {
    session.isBroken = true; // what it has begun ends with it
    throw error;
  }
}

interface Owner {
  readonly owner: string;
  readonly isOwn: boolean;
}

async function findOwner(session: Session, schema: string): Promise<ModuleRole | undefined> {
  const { rows } = await session.ask(
    sql<Owner>`SELECT rolname AS owner, rolname = current_user AS "isOwn"
      FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner WHERE nspname = ${schema}`,
  );
  const [found] = rows;
  if (found === undefined) return undefined;
  return found.isOwn ? alone(schema, found.owner) : { role: found.owner, told: undefined };
}

async function makeOwner(session: Session, schema: string): Promise<ModuleRole> {
  const { rows } = await session.ask(
    sql<{ database: string; own: string; mayMakeRoles: boolean }>`SELECT current_database() AS database, rolname AS own,
      rolcreaterole OR rolsuper AS "mayMakeRoles" FROM pg_roles WHERE rolname = current_user`,
  );
  const [{ database, own, mayMakeRoles } = { database: "", own: "", mayMakeRoles: false }] = rows;
  if (!mayMakeRoles) {
    await session.command(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
    return alone(schema, own);
  }
  const role = roleOf(database, schema);
  const known = await session.ask(sql`SELECT 1 FROM pg_roles WHERE rolname = ${role}`);
  if (known.rowCount === 0) await session.command(`CREATE ROLE ${escapeIdentifier(role)} NOLOGIN`);
  await session.command(`GRANT ${escapeIdentifier(role)} TO CURRENT_USER`);
  await session.command(`CREATE SCHEMA ${escapeIdentifier(schema)} AUTHORIZATION ${escapeIdentifier(role)}`);
  return { role, told: undefined };
}

function alone(schema: string, owner: string): ModuleRole {
  return {
    role: undefined,
    told: `the schema ${schema} belongs to ${owner}, the role of its URL: what else that may see, ${schema} may. A role that may make others (CREATEROLE) would give each module its own`,
  };
}

/** Roles belong to all databases of a server, so its name is in it. */
function roleOf(database: string, module: string): string {
  const plain = `${database}_${module}`;
  if (Buffer.byteLength(plain) <= LONGEST_NAME) return plain;
  return `${createHash("sha256").update(database).digest("hex").slice(0, 16)}_${module}`;
}
