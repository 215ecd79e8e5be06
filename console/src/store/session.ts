import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";

/** Who is signed in. The tokens live in the page's memory only and are gone with it. */
export interface Session {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: "customer" | "admin";
}

export interface Sessions {
  /** Who acts: whose requests the page sends. */
  readonly session: Cell<Session | undefined>;
  /** The last admin who signed in: who watches while a customer acts. */
  readonly admin: Cell<Session | undefined>;
  /** Why the last attempt failed. */
  readonly failure: Cell<string | undefined>;
  /** Why nobody is signed in any more, where nobody asked for that. */
  readonly notice: Cell<string | undefined>;
  signIn(email: string, password: string): Promise<boolean>;
  /** Signs in the demo admin; only where the gateway offers it. */
  signInWithOneClick(): Promise<boolean>;
  /** Makes whom an answer to a registration or a login signs in the one who acts. Returns undefined where it signs in nobody. */
  adopt(answer: unknown): Session | undefined;
  /** Keeps the tokens of whom an answer signs in, without a change of who acts. Returns undefined where it signs in nobody. */
  meet(answer: unknown): Session | undefined;
  /** Makes the admin who watches the one who acts. */
  becomeAdmin(): void;
  /** An admin for what needs one, without a change of who acts; undefined where there is none to be had by one click. */
  borrowAdmin(): Promise<Session | undefined>;
  /** A token that still lives, renewed if need be; undefined where the session has ended. */
  tokenOf(session: Session): Promise<string | undefined>;
  /** Tries to go on after a token has been refused; false where the session has ended. */
  renew(session: Session): Promise<boolean>;
  /** Ends all sessions of this page, at the shop too. */
  signOut(): Promise<void>;
}

interface Tokens {
  readonly access: string;
  readonly refresh: string | undefined;
  /** Of a clock that only goes forward. */
  readonly expiresAtMs: number;
}

/** A token that lives no longer than this is renewed before it is sent. */
const MARGIN_MS = 20_000;

const ENDED = "Your session has ended. Sign in again.";

export function createSessions(fetch: (path: string, init: RequestInit) => Promise<Response>): Sessions {
  const session = createCell<Session | undefined>(undefined);
  const admin = createCell<Session | undefined>(undefined);
  const failure = createCell<string | undefined>(undefined);
  const notice = createCell<string | undefined>(undefined);
  const tokens = new WeakMap<Session, Tokens>();
  const renewals = new Map<Session, Promise<boolean>>();

  const read = (body: unknown): Session | undefined => {
    const read = readSession(body);
    if (read === undefined) return undefined;
    tokens.set(read.session, read.tokens);
    if (read.session.role === "admin") admin.set(read.session);
    return read.session;
  };

  const attempt = async (path: string, init: RequestInit): Promise<Session | undefined> => {
    try {
      const response = await fetch(path, { method: "POST", ...init });
      const body = parseJson(await response.text());
      const signedIn = response.ok ? read(body) : undefined;
      failure.set(signedIn === undefined ? reasonOf(body) : undefined);
      return signedIn;
    } catch {
      failure.set("The gateway cannot be reached.");
      return undefined;
    }
  };

  const act = (signedIn: Session | undefined): boolean => {
    if (signedIn === undefined) return false;
    session.set(signedIn);
    notice.set(undefined);
    return true;
  };

  const end = (ended: Session): void => {
    tokens.delete(ended);
    if (admin.get() === ended) admin.set(undefined);
    if (session.get() !== ended) return;
    session.set(undefined);
    notice.set(ENDED);
  };

  const exchange = async (old: Session): Promise<boolean> => {
    const refresh = tokens.get(old)?.refresh;
    if (refresh !== undefined) {
      const response = await fetch("/users/refresh", post({ refresh_token: refresh })).catch(() => undefined);
      // An answer that says nothing of the session leaves it as it is.
      if (response === undefined || response.status >= 500 || response.status === 429) return true;
      const renewed = response.ok ? readSession(parseJson(await response.text())) : undefined;
      if (renewed !== undefined) {
        tokens.set(old, renewed.tokens);
        return true;
      }
    }
    end(old);
    return false;
  };

  const renew = (old: Session): Promise<boolean> => {
    const renewal = renewals.get(old) ?? exchange(old).finally(() => renewals.delete(old));
    renewals.set(old, renewal);
    return renewal;
  };

  const one = (): Promise<Session | undefined> => attempt("/console/sign-in", {});

  return {
    session,
    admin,
    failure,
    notice,
    signIn: async (email, password) => act(await attempt("/users/login", post({ email, password }))),
    signInWithOneClick: async () => act(await one()),
    adopt(answer) {
      const signedIn = read(answer);
      act(signedIn);
      return signedIn;
    },
    meet: read,
    becomeAdmin: () => void act(admin.get()),
    borrowAdmin: async () => admin.get() ?? one(),
    async tokenOf(one) {
      const known = tokens.get(one);
      if (known === undefined || known.expiresAtMs - performance.now() > MARGIN_MS) return known?.access;
      await renew(one);
      return tokens.get(one)?.access;
    },
    renew,
    async signOut() {
      const ended = new Set([session.get(), admin.get()].filter((each) => each !== undefined));
      const kept = [...ended].map((each) => tokens.get(each));
      for (const each of ended) tokens.delete(each);
      admin.set(undefined);
      session.set(undefined);
      notice.set(undefined);
      // Whether the shop hears of it or not, here nobody is signed in.
      await Promise.allSettled(kept.map((each) => each?.refresh !== undefined && fetch("/users/logout", logout(each))));
    },
  };
}

function post(body: Record<string, unknown>): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

function logout({ access, refresh }: Tokens): RequestInit {
  const { headers, ...rest } = post({ refresh_token: refresh });
  return { ...rest, headers: { ...headers, authorization: `Bearer ${access}` } };
}

function readSession(body: unknown): { session: Session; tokens: Tokens } | undefined {
  if (!isRecord(body) || typeof body.token !== "string" || !isRecord(body.user)) return undefined;
  const { id, name, email, role } = body.user;
  const { refresh_token: refresh, expires_in: livesS } = body;
  return {
    session: {
      id: String(id),
      name: String(name),
      email: String(email),
      role: role === "admin" ? "admin" : "customer",
    },
    tokens: {
      access: body.token,
      refresh: typeof refresh === "string" ? refresh : undefined,
      expiresAtMs: performance.now() + Number(livesS ?? 0) * 1_000,
    },
  };
}

function reasonOf(problem: unknown): string {
  if (isRecord(problem) && typeof problem.detail === "string") return problem.detail;
  return "Signing in failed.";
}
