import { Agent } from "undici";

/** A call of the public API, as a client makes it. */
export interface Request {
  readonly method: string;
  /** Sent as it is, query included. */
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is with JSON's media type. */
  readonly body?: object | string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON, else text; undefined when it is empty. */
  readonly body: unknown;
}

/** Ways to make a call. */
export interface Calls {
  /** @throws Error when there is no answer */
  call(request: Request): Promise<Answer>;
  get(path: string, token?: string, headers?: Request["headers"]): Promise<Answer>;
  post(path: string, body?: Request["body"], token?: string, headers?: Request["headers"]): Promise<Answer>;
}

/** A client of one URL. */
export interface Api extends Calls {
  close(): Promise<void>;
}

export interface Session {
  readonly token: string;
  readonly id: string;
}

export interface OrderBody {
  readonly id: string;
  readonly status: "pending" | "confirmed" | "rejected" | "cancelled";
  readonly items: readonly { readonly product_id: string; readonly quantity: number }[];
}

/** The admin of every shop under test. */
export const ADMIN = { email: "admin@example.com", password: "admin-demo-password" };

/** @param connections how many it opens at most; @param patienceMs how long it waits for an answer */
export function createApi(origin: string, connections = 128, patienceMs = 60_000): Api {
  const agent = new Agent({ connections, pipelining: 1, headersTimeout: patienceMs, keepAliveTimeout: 3_000 });
  const call = async ({ method, path, token, headers, body }: Request): Promise<Answer> => {
    const answer = await agent.request({
      origin,
      method: method as "GET",
      path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      body: typeof body === "object" ? JSON.stringify(body) : (body ?? null),
    });
    const text = await answer.body.text();
    const flat = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
    return { status: answer.statusCode, headers: Object.fromEntries(flat), body: parse(text) };
  };
  return { ...callsBy(call), close: () => agent.destroy() };
}

/** The short forms of a call. */
export function callsBy(call: Calls["call"]): Calls {
  return {
    call,
    get: (path, token, headers) => call({ method: "GET", path, token, ...(headers && { headers }) }),
    post: (path, body, token, headers) => call({ method: "POST", path, body, token, ...(headers && { headers }) }),
  };
}

/** The body of an answer that has to be a success. @throws Error that shows the answer */
export function bodyOf<T = Record<string, unknown>>(answer: Answer): T {
  if (answer.status >= 300) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

export async function signIn(
  api: Calls,
  { email, password }: { email: string; password: string } = ADMIN,
): Promise<Session> {
  const { token, user } = bodyOf<{ token: string; user: { id: string } }>(
    await api.post("/users/login", { email, password }),
  );
  return { token, id: user.id };
}

/** What somebody registers with, and signs in. @param name part of the address, so it is taken once per shop */
export function accountOf(name: string): { name: string; email: string; password: string } {
  return { name, email: `${name.replaceAll(" ", "-")}@example.org`, password: `the password of ${name}` };
}

/** Registers somebody new, see `accountOf`. */
export async function register(api: Calls, name: string): Promise<Session> {
  const answer = await api.post("/users/register", accountOf(name));
  const { token, user } = bodyOf<{ token: string; user: { id: string } }>(answer);
  return { token, id: user.id };
}

/** Adds a product. Resolves its id. */
export async function addProduct(api: Calls, admin: Session, stock: number, name = "Thing"): Promise<string> {
  return bodyOf<{ id: string }>(await api.post("/products", { name, price_cents: 1_250, stock }, admin.token)).id;
}

export async function stockOf(api: Calls, productId: string): Promise<number> {
  return bodyOf<{ stock: number }>(await api.get(`/products/${productId}`)).stock;
}

/** All orders that somebody may see, page after page. */
export async function allOrders(api: Calls, who: Session): Promise<OrderBody[]> {
  const found: OrderBody[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const query: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const page = bodyOf<{ data: OrderBody[]; next_cursor: string | null }>(
      await api.get(`/orders?limit=100${query}`, who.token),
    );
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  return found;
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
