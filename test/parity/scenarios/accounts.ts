import { register } from "../../support/api.ts";
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
