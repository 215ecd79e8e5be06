import ApiGateway from "moleculer-web";

/** The public face. It listens when the others are there; who has a token is asked of users once for each. */
export function createGateway(port) {
  const callers = new Map();
  return {
    name: "gateway",
    mixins: [ApiGateway],
    dependencies: ["users", "products", "orders"],
    settings: {
      port,
      ip: "127.0.0.1",
      routes: [
        {
          authentication: true,
          bodyParsers: { json: true },
          aliases: {
            "POST /users/register": "users.register",
            "POST /users/login": "users.register",
            "POST /products": "products.add",
            "GET /products/:id": "products.get",
            "POST /orders": "orders.place",
            "GET /orders/:id": "orders.get",
            "GET /readyz": "gateway.ready",
          },
          onBeforeCall(ctx, _route, req) {
            ctx.meta.wait = req.headers.prefer !== undefined;
          },
        },
      ],
    },
    actions: {
      ready: () => ({ status: "ok" }),
    },
    methods: {
      async authenticate(ctx, _route, req) {
        const token = req.headers.authorization?.slice("Bearer ".length);
        if (token === undefined) return null;
        const known = callers.get(token);
        if (known !== undefined && known.exp > Date.now() / 1000) return known;
        const caller = await ctx.call("users.resolveToken", { token });
        callers.set(token, caller);
        return caller;
      },
    },
  };
}
