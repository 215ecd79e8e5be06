// Written by `npm run generate` from src/runtime/modules.ts and what it names.

/** The modules, in the order of their list. */
export const modules = [
  {
    name: "users",
    port: 8001,
    calls: [],
    publishes: [],
    applies: {},
    operations: [
      {
        id: "registerUser",
        method: "POST",
        path: "/users/register",
        access: "public",
        summary: "Create a user and sign in",
        body: {
          name: "Ada",
          email: "ada@example.com",
          password: "correct horse battery",
        },
      },
      {
        id: "loginUser",
        method: "POST",
        path: "/users/login",
        access: "public",
        summary: "Sign in",
        body: {
          email: "ada@example.com",
          password: "correct horse battery",
        },
      },
      {
        id: "refreshSession",
        method: "POST",
        path: "/users/refresh",
        access: "public",
        summary: "Exchange a refresh token for a new token and the next refresh token",
        body: {
          refresh_token: "Zm9yIG9uZSByZWZyZXNo",
        },
      },
      {
        id: "logoutUser",
        method: "POST",
        path: "/users/logout",
        access: "public",
        summary: "End the session of a refresh token, which proves enough; one that is not good has no session to end",
        body: {
          refresh_token: "Zm9yIG9uZSByZWZyZXNo",
        },
      },
      {
        id: "changePassword",
        method: "POST",
        path: "/users/me/password",
        access: "user",
        summary: "Change one's password, which ends all sessions",
        body: {
          current_password: "correct horse battery",
          new_password: "correct horse battery",
        },
      },
      {
        id: "eraseMe",
        method: "DELETE",
        path: "/users/me",
        access: "user",
        summary: "Erase oneself: the account and all that tells of the person; orders stay, without a name",
      },
      {
        id: "getMe",
        method: "GET",
        path: "/users/me",
        access: "user",
        summary: "The signed-in user",
      },
      {
        id: "getUser",
        method: "GET",
        path: "/users/{id}",
        access: "user",
        summary: "One user: oneself, or anyone for an admin",
      },
      {
        id: "listUsers",
        method: "GET",
        path: "/users",
        access: "admin",
        summary: "List all users",
      },
      {
        id: "getJwks",
        method: "GET",
        path: "/.well-known/jwks.json",
        access: "public",
        summary: "The public keys that tokens are signed with (RFC 7517)",
      },
    ],
  },
  {
    name: "products",
    port: 8002,
    calls: [],
    publishes: ["stock.reserved", "stock.rejected", "stock.released"],
    applies: {
      orders: ["order.created", "order.cancelled"],
    },
    operations: [
      {
        id: "listProducts",
        method: "GET",
        path: "/products",
        access: "public",
        summary: "List and search products; those that are not for sale for an admin only",
      },
      {
        id: "getProduct",
        method: "GET",
        path: "/products/{id}",
        access: "public",
        summary: "One product; an inactive one for an admin only",
      },
      {
        id: "addProduct",
        method: "POST",
        path: "/products",
        access: "admin",
        summary: "Add a product",
        body: {
          name: "Cup",
          description: "Stoneware, holds a quarter of a litre",
          price_cents: 1999,
          currency: "USD",
          stock: 40,
        },
      },
      {
        id: "updateProduct",
        method: "PATCH",
        path: "/products/{id}",
        access: "admin",
        summary: "Change a product, if it is still the one that was seen",
        body: {
          name: "Cup",
          description: "Stoneware, holds a quarter of a litre",
          price_cents: 1999,
          active: true,
        },
      },
      {
        id: "restockProduct",
        method: "POST",
        path: "/products/{id}/restock",
        access: "admin",
        summary: "Add to a product's stock",
        body: {
          quantity: 10,
        },
      },
      {
        id: "correctProduct",
        method: "POST",
        path: "/products/{id}/correct",
        access: "admin",
        summary: "Correct a product's stock after a count, up or down, and say why",
        body: {
          delta: -2,
          reason: "two broken in the warehouse",
        },
      },
    ],
  },
  {
    name: "orders",
    port: 8003,
    calls: ["users", "products"],
    publishes: ["order.created", "order.cancelled"],
    applies: {
      products: ["stock.reserved", "stock.rejected", "stock.released"],
    },
    operations: [
      {
        id: "placeOrder",
        method: "POST",
        path: "/orders",
        access: "user",
        summary: "Place an order; whether there is stock enough is decided right after",
        body: {
          product_id: "01981a2b-7c3d-7e4f-8a5b-6c7d8e9f0a1b",
          quantity: 2,
        },
      },
      {
        id: "listOrders",
        method: "GET",
        path: "/orders",
        access: "user",
        summary: "List one's own orders; an admin sees all, or those of one user",
      },
      {
        id: "getOrder",
        method: "GET",
        path: "/orders/{id}",
        access: "user",
        summary: "One order; with Prefer: wait=N it answers when the order is no longer pending, or after N seconds",
      },
      {
        id: "cancelOrder",
        method: "POST",
        path: "/orders/{id}/cancel",
        access: "user",
        summary: "Cancel a pending or confirmed order and give its stock back",
      },
    ],
  },
] as const;

/** Whom a shop for trying out has from the start. */
export const demoCustomer: { readonly email: string; readonly password: string } | undefined = {
  email: "customer@example.com",
  password: "customer-demo-password",
};
