import { expect } from "chai";
import { forgeries } from "../parity/tokens.ts";
import {
  type Answer,
  type Api,
  addProduct,
  bodyOf,
  createApi,
  register,
  type Session,
  signIn,
} from "../support/api.ts";
import { fourProcesses, oneProcess, type Shop } from "../support/topology.ts";

const LIMITS = { AUTH_RATE_LIMIT: "6/3600s", REFRESH_RATE_LIMIT: "20/3600s", TRUSTED_PROXIES: "1" };

for (const topology of [oneProcess, fourProcesses]) {
  describe(`whoever signs in: ${topology.name}`, () => {
    let shop: Shop;
    let api: Api;
    let admin: Session;
    let buyer: Session & { readonly refresh_token?: string };

    before(async () => {
      shop = await topology.start(LIMITS);
      api = createApi(shop.url);
      admin = await signIn(api);
      buyer = await register(api, "buyer");
    });
    after(async () => {
      await api.close();
      await shop.stop();
    });

    const from = (address: number) => ({ "x-forwarded-for": `203.0.113.${address}` });
    const login = (address: number, token?: string) =>
      api.post("/users/login", { email: "buyer@example.org", password: "not the password" }, token, from(address));

    it("is counted by address, whatever token comes along", async () => {
      for (const token of [undefined, buyer.token, admin.token, "expired"]) await login(1, token);
      await api.post("/users/register", { name: "x", email: "x@example.org", password: "short" }, admin.token, from(1));
      const change = { current_password: "not the password", new_password: "quite another password" };
      await api.post("/users/me/password", change, buyer.token, from(1));
      for (const token of [undefined, buyer.token, admin.token])
        expect(nameOf(await login(1, token))).to.equal("429 rate-limited");
      expect((await login(2)).status).to.not.equal(429);
    });

    it("may refresh often from one address, within a budget of its own", async () => {
      const person = { email: "many@example.org", password: "a password of many" };
      const first = await api.post("/users/register", { name: "Many", ...person }, undefined, from(3));
      let { refresh_token } = bodyOf<{ refresh_token: string }>(first);
      const refresh = () => api.post("/users/refresh", { refresh_token }, undefined, from(3));
      for (let n = 0; n < 20; n++) refresh_token = bodyOf<{ refresh_token: string }>(await refresh()).refresh_token;
      expect(nameOf(await refresh())).to.equal("429 rate-limited");
      expect((await login(3)).status, "the budget of sign-ins is another").to.equal(401);
    });

    describe("with a token that is no good", () => {
      let bad: readonly string[];
      let callers = 0;
      before(() => {
        bad = [...Object.values(forgeries(buyer.token)).map((token) => `Bearer ${token}`), "Bearer", "Bearer a b"];
      });

      it("may do all that needs none, and is told of the token", async () => {
        const product = await addProduct(api, admin, 1);
        for (const authorization of bad) {
          const answers = await callPublic(product, authorization);
          expect(
            answers.map(({ status }) => status),
            authorization,
          ).to.deep.equal([200, 200, 200, 422, 401, 401, 204]);
          for (const { headers, status } of answers.filter((answer) => answer.status < 400)) {
            expect(headers["www-authenticate"], `${status}`).to.equal('Bearer realm="quartet", error="invalid_token"');
          }
        }
      });

      it("is refused where a token is needed", async () => {
        for (const authorization of bad) {
          const answer = await api.get("/users/me", undefined, { authorization });
          expect(nameOf(answer), authorization).to.equal("401 invalid-token");
        }
      });

      it("sees the catalogue with the header that a proxy adds, and is told of nothing", async () => {
        for (const authorization of ["Basic bWU6bWU=", "Negotiate YII=", "token"]) {
          const { status, headers } = await api.get("/products", undefined, { authorization });
          expect([status, headers["www-authenticate"]]).to.deep.equal([200, undefined]);
          expect(nameOf(await api.get("/users/me", undefined, { authorization }))).to.equal("401 unauthenticated");
        }
      });

      async function callPublic(product: string, authorization: string): Promise<Answer[]> {
        callers += 1;
        const headers = { authorization, ...from(100 + callers) };
        return [
          await api.get("/products", undefined, headers),
          await api.get(`/products/${product}`, undefined, headers),
          await api.get("/.well-known/jwks.json", undefined, headers),
          await api.post("/users/register", { name: "x" }, undefined, headers),
          await api.post("/users/login", { email: `a${callers}@example.org`, password: "x" }, undefined, headers),
          await api.post("/users/refresh", { refresh_token: "none of ours" }, undefined, headers),
          await api.post("/users/logout", { refresh_token: "none of ours" }, undefined, headers),
        ];
      }
    });

    it("can end a session by its refresh token alone", async () => {
      const person = { name: "Leaver", email: "leaver@example.org", password: "a password to leave" };
      const session = bodyOf<{ refresh_token: string }>(await api.post("/users/register", person, undefined, from(9)));
      const leave = { refresh_token: session.refresh_token };
      expect((await api.post("/users/logout", leave)).status).to.equal(204);
      expect(nameOf(await api.post("/users/refresh", leave))).to.equal("401 invalid-token");
      expect((await api.post("/users/logout", leave)).status, "again").to.equal(204);
    });
  });
}

function nameOf({ status, body }: Answer): string {
  return `${status} ${String((body as { type?: string } | undefined)?.type).replace("/problems/", "")}`;
}
