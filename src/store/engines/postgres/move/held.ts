import { reasonOf, StoreRefusal } from "../../../refusal.ts";
import { applicationOf, connectionConfig, describePlace } from "../connection.ts";
import type { PostgresPlace } from "../options.ts";
import { requireServer } from "../server.ts";
import { type Session, Sessions } from "../sessions.ts";
import { Statements } from "../statements.ts";

/** What is moved: its module's name, and where the schema is. */
export interface MovedPlace extends PostgresPlace {
  readonly name: string;
}

/** A connection that is kept until it is let go. */
interface Held {
  readonly session: Session;
  letGo(): Promise<void>;
}

/**
 * Makes so many connections to a schema.
 * @param open what it throws ends them
 * @throws StoreRefusal when the server cannot be reached or used, or for what `open` throws
 */
export async function whileConnected<T>(
  options: MovedPlace,
  count: number,
  open: (sessions: readonly Session[], place: string, close: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const { name, schema = name } = options;
  const config = { ...connectionConfig(name, options, schema), application_name: `${applicationOf(name)}, move` };
  const place = describePlace(config, schema);
  const sessions = new Sessions({ config, statements: new Statements(options.pooled === true), most: count });
  const held: Held[] = [];
  const close = async () => {
    for (const each of held) await each.letGo();
    await sessions.close();
  };
  try {
    while (held.length < count) held.push(await hold(sessions));
    const [first] = held;
    if (first !== undefined) await requireServer(first.session, schema);
    return await open(
      held.map(({ session }) => session),
      place,
      close,
    );
  } catch (error) {
    await close();
    const told = error instanceof StoreRefusal ? error.message : `cannot be used: ${reasonOf(error)}`;
    throw new StoreRefusal(`${name}: ${place} ${told}`, { cause: error });
  }
}

async function hold(sessions: Sessions): Promise<Held> {
  const given = Promise.withResolvers<Session>();
  const ended = Promise.withResolvers<void>();
  const used = sessions.use((session) => {
    given.resolve(session);
    return ended.promise;
  });
  used.catch(given.reject);
  const session = await given.promise;
  return {
    session,
    letGo() {
      session.isBroken = true; // whatever it has begun ends with it
      ended.resolve();
      return used;
    },
  };
}
