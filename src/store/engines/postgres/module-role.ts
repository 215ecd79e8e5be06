import { createHash } from "node:crypto";
import { Client, escapeIdentifier } from "pg";
import { StoreRefusal } from "../../refusal.ts";
import { BEGIN_IN_TURN, connectionConfig } from "./connection.ts";
import type { PostgresPlace } from "./options.ts";
import { connectionReason } from "./postgres-fault.ts";

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
  const client = new Client(connectionConfig(name, { url, ...(password && { password }) }, name));
  client.on("error", () => {}); // it is told where it is used
  try {
    await client.connect();
    await client.query(BEGIN_IN_TURN);
    await client.query("SELECT pg_advisory_xact_lock($1)", [MAKING_ROLES]);
    const found = (await findOwner(client, name)) ?? (await makeOwner(client, name));
    await client.query("COMMIT");
    return found;
  } catch (error) {
    const told = `${name}: its schema in PostgreSQL cannot be made or used: ${connectionReason(error)}`;
    throw new StoreRefusal(told, { cause: error });
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Owner {
  readonly owner: string;
  readonly isOwn: boolean;
}

async function findOwner(client: Client, schema: string): Promise<ModuleRole | undefined> {
  const { rows } = await client.query<Owner>(
    'SELECT rolname AS owner, rolname = current_user AS "isOwn" FROM pg_namespace JOIN pg_roles ON pg_roles.oid = nspowner WHERE nspname = $1',
    [schema],
  );
  const [found] = rows;
  if (found === undefined) return undefined;
  return found.isOwn ? alone(schema, found.owner) : { role: found.owner, told: undefined };
}

async function makeOwner(client: Client, schema: string): Promise<ModuleRole> {
  const { rows } = await client.query<{ database: string; own: string; mayMakeRoles: boolean }>(
    `SELECT current_database() AS database, rolname AS own, rolcreaterole OR rolsuper AS "mayMakeRoles"
      FROM pg_roles WHERE rolname = current_user`,
  );
  const [{ database, own, mayMakeRoles } = { database: "", own: "", mayMakeRoles: false }] = rows;
  if (!mayMakeRoles) {
    await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
    return alone(schema, own);
  }
  const role = roleOf(database, schema);
  const known = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role]);
  if (known.rowCount === 0) await client.query(`CREATE ROLE ${escapeIdentifier(role)} NOLOGIN`);
  await client.query(`GRANT ${escapeIdentifier(role)} TO CURRENT_USER`);
  await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)} AUTHORIZATION ${escapeIdentifier(role)}`);
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
