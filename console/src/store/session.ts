import { type Cell, createCell } from "../model/cell.ts";
import { isRecord, parseJson } from "../model/json.ts";

/** Who is signed in. The token lives in the page's memory only and is gone with it. */
export interface Session {
  readonly name: string;
  readonly role: "customer" | "admin";
  readonly token: string;
}

export interface Sessions {
  readonly session: Cell<Session | undefined>;
  /** Why the last attempt failed. */
  readonly failure: Cell<string | undefined>;
  signIn(email: string, password: string): Promise<boolean>;
  /** Signs in the demo admin; only where the gateway offers it. */
  signInWithOneClick(): Promise<boolean>;
  signOut(): void;
}

export function createSessions(fetch: (path: string, init: RequestInit) => Promise<Response>): Sessions {
  const session = createCell<Session | undefined>(undefined);
  const failure = createCell<string | undefined>(undefined);

  const attempt = async (path: string, init: RequestInit): Promise<boolean> => {
    try {
      const response = await fetch(path, { method: "POST", ...init });
      const body = parseJson(await response.text());
      const signedIn = response.ok ? readSession(body) : undefined;
      failure.set(signedIn === undefined ? reasonOf(body) : undefined);
      if (signedIn !== undefined) session.set(signedIn);
      return signedIn !== undefined;
    } catch {
      failure.set("The gateway cannot be reached.");
      return false;
    }
  };

  return {
    session,
    failure,
    signIn: (email, password) =>
      attempt("/users/login", {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
      }),
    signInWithOneClick: () => attempt("/console/sign-in", {}),
    signOut: () => session.set(undefined),
  };
}

function readSession(body: unknown): Session | undefined {
  if (!isRecord(body) || typeof body.token !== "string" || !isRecord(body.user)) return undefined;
  const { name, role } = body.user;
  return { name: String(name), role: role === "admin" ? "admin" : "customer", token: body.token };
}

function reasonOf(problem: unknown): string {
  if (isRecord(problem) && typeof problem.detail === "string") return problem.detail;
  return "Signing in failed.";
}
