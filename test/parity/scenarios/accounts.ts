import { type Answer, register } from "../../support/api.ts";
import type { Scenario } from "../scenario.ts";
import { forgeries } from "../tokens.ts";

const ABSENT = "018f0000-0000-7000-8000-000000000000";

export const accounts: readonly Scenario[] = [
  {
    name: "registration and login",
    async run(stage) {
      const ann = { name: "Ann", email: "Ann@example.org", password: "correct horse staple" };
      const { token, user } = (await stage.post("/users/register", ann)).body as {
        token: string;
        user: { id: string };
      };
      await stage.post("/users/register", { ...ann, email: "ANN@EXAMPLE.org" });
      await stage.post("/users/login", { email: "ann@example.ORG", password: ann.password });
      await stage.post("/users/login", { email: ann.email, password: "not her password" });
      await stage.post("/users/login", { email: "nobody@example.org", password: "not her password" });
      await stage.get("/users/me", token);
      await stage.get(`/users/${user.id}`, token);
      await stage.get("/.well-known/jwks.json");
    },
  },
  {
    name: "sessions",
    async run(stage) {
      const rosalind = { name: "Rosalind", email: "rosalind@example.org", password: "correct horse staple" };
      const { name: _, ...credentials } = rosalind;
      const session = (answer: Answer) => answer.body as { token: string; refresh_token: string };
      const refresh = (refresh_token: string, key?: string) =>
        stage.post("/users/refresh", { refresh_token }, undefined, key === undefined ? {} : { "idempotency-key": key });
      const first = session(await stage.post("/users/register", rosalind));
      await refresh(first.refresh_token, "lost");
      const second = session(await refresh(first.refresh_token, "lost"));
      await refresh(first.refresh_token);
      await refresh(second.refresh_token);
      await refresh("not one of ours");
      const third = session(await stage.post("/users/login", credentials));
      await stage.post("/users/logout", { refresh_token: third.refresh_token }, third.token);
      await stage.post("/users/logout", { refresh_token: third.refresh_token });
      await refresh(third.refresh_token);
      const change = { current_password: rosalind.password, new_password: "battery correct horse" };
      await stage.post("/users/me/password", { ...change, current_password: "not her password" }, third.token);
      await stage.post("/users/me/password", { ...change, new_password: "password1234" }, third.token);
      await stage.post("/users/me/password", change);
      await stage.post("/users/me/password", change, third.token);
      for (let i = 0; i < 11; i++) await stage.post("/users/login", credentials);
      await stage.post("/users/login", { ...credentials, password: change.new_password });
    },
  },
  {
    name: "tabs that refresh at once, and a name with blanks around it",
    async run(stage) {
      const ivan = { name: "  Ivan ", email: "i=v&an@xn--80a1acny.xn--p1ai", password: "correct horse staple" };
      const tokenOf = (answer: Answer) => (answer.body as { refresh_token: string }).refresh_token;
      const refresh = (refresh_token: string) => stage.post("/users/refresh", { refresh_token });
      const first = tokenOf(await stage.post("/users/register", ivan));
      const tabs = [tokenOf(await refresh(first)), tokenOf(await refresh(first))];
      let last = "";
      for (const tab of tabs) last = tokenOf(await refresh(tab));
      const expired = { authorization: "Bearer e30.e30.none" };
      await stage.call({ method: "POST", path: "/users/logout", body: { refresh_token: last }, headers: expired });
      await refresh(last);
    },
  },
  {
    name: "registration, tried again",
    async run(stage) {
      const emmy = { name: "Emmy", email: "emmy@example.org", password: "correct horse staple" };
      const key = { "idempotency-key": "emmy registers" };
      await stage.post("/users/register", { ...emmy, password: "short" }, undefined, key);
      await stage.post("/users/register", emmy, undefined, key);
      await stage.post("/users/register", emmy, undefined, key);
      await stage.post("/users/register", { ...emmy, name: "Emma" }, undefined, key);
      await stage.post("/users/register", { ...emmy, password: "battery correct horse" }, undefined, key);
    },
  },
  {
    name: "erasure",
    async run(stage) {
      const admin = await stage.admin();
      const lise = { name: "Lise", email: "lise@example.org", password: "correct horse staple" };
      const { name: _, ...credentials } = lise;
      const { token, refresh_token, user } = (await stage.post("/users/register", lise)).body as {
        token: string;
        refresh_token: string;
        user: { id: string };
      };
      const cup = { name: "Cup of Lise", price_cents: 100, stock: 5 };
      const product_id = ((await stage.quiet.post("/products", cup, admin.token)).body as { id: string }).id;
      const order = (await stage.post("/orders", { product_id, quantity: 1 }, token)).body as { id: string };
      const erase = (body?: object) => stage.call({ method: "DELETE", path: "/users/me", body, token });
      await stage.call({ method: "DELETE", path: "/users/me" });
      await erase({ password: lise.password });
      await erase({});
      await erase();
      await stage.get("/users/me", token);
      await stage.get(`/users/${user.id}`, admin.token);
      await stage.post("/users/login", credentials);
      await stage.post("/users/refresh", { refresh_token });
      await stage.post("/orders", { product_id, quantity: 1 }, token);
      await stage.get(`/orders/${order.id}`, admin.token, { prefer: "wait=20" });
      await stage.get(`/orders?user_id=${user.id}`, admin.token);
      await stage.post("/users/register", lise);
    },
  },
  {
    name: "who may see whom",
    async run(stage) {
      const [bob, eve] = [await register(stage.quiet, "bob"), await register(stage.quiet, "eve")];
      const admin = await stage.admin();
      await stage.get(`/users/${bob.id}`, eve.token);
      await stage.get(`/users/${ABSENT}`, eve.token);
      await stage.get(`/users/${bob.id}`, admin.token);
      await stage.get(`/users/${ABSENT}`, admin.token);
      await stage.get(`/users/${bob.id}`);
      await stage.get("/users", bob.token);
      await stage.get("/users");
      const first = await stage.get("/users?limit=2", admin.token);
      await stage.get(`/users?limit=2&cursor=${(first.body as { next_cursor: string }).next_cursor}`, admin.token);
      await stage.get("/users?limit=100", admin.token);
    },
  },
  {
    name: "bad tokens",
    async run(stage) {
      const { token } = await register(stage.quiet, "mallory");
      for (const [name, forged] of Object.entries(forgeries(token))) {
        await stage.get(`/users/me?as=${name}`, forged);
        await stage.get("/users/me", forged);
        await stage.post("/orders", { product_id: ABSENT, quantity: 1 }, forged);
      }
      await stage.call({ method: "GET", path: "/users/me", headers: { authorization: "Basic bWU6bWU=" } });
      await stage.call({ method: "GET", path: "/users/me", headers: { authorization: "Bearer" } });
      await stage.call({ method: "GET", path: "/users/me", headers: { authorization: `bearer ${token}` } });
      await stage.call({ method: "GET", path: "/products", token: "even where none is needed" });
    },
  },
];
