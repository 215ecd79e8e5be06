import type { Scenario } from "../scenario.ts";

/** Counted in one window each, so that no window ends in the midst of it. */
export const LIMITS = { RATE_LIMIT: "8/3600s", AUTH_RATE_LIMIT: "4/3600s", REFRESH_RATE_LIMIT: "2/3600s" };

export const limits: readonly Scenario[] = [
  {
    name: "limits by address, by user and of sign-in",
    async run(stage) {
      const walt = { name: "Walt", email: "walt@example.org", password: "the password of walt" };
      const { token } = (await stage.post("/users/register", walt)).body as { token: string };
      for (let n = 0; n < 10; n++) await stage.get("/users/me", token);
      await stage.post("/orders", {}, token);
      for (let n = 0; n < 5; n++) await stage.post("/users/login", { ...walt, name: undefined });
      for (let n = 0; n < 4; n++) await stage.get("/products?limit=1");
      await stage.get("/users/me", "not a token");
      await stage.get("/nothing");
      await stage.get("/livez");
      await stage.call({ method: "GET", path: "/products?limit=1", headers: { "x-forwarded-for": "203.0.113.9" } });
    },
  },
];
