import type { ServiceName } from "./places.ts";

/** What a request can be filled with: what the page has seen so far. */
export interface Known {
  readonly productId: string | undefined;
  readonly orderId: string | undefined;
  /** A text that no other request of this page has. */
  unique(): string;
}

/** A button of the tester. */
export interface Endpoint {
  readonly id: string;
  readonly service: ServiceName;
  readonly method: "GET" | "POST" | "PATCH";
  readonly title: string;
  /** True for what only a signed-in user, or an admin, may ask. */
  readonly access: "public" | "user" | "admin";
  /** False for what lies below the fold. */
  readonly main: boolean;
  path(known: Known): string;
  /** A sensible body; absent where the request has none. */
  body?(known: Known): Record<string, unknown>;
}

/** An id that is well-formed and that nothing has; what an endpoint is tried with as long as nothing is known. */
const NOBODY = "00000000-0000-7000-8000-000000000000";

/** Whom a shop for trying out has from the start. */
export const DEMO_CUSTOMER = { email: "customer@example.com", password: "customer-demo-password" };

export const endpoints: readonly Endpoint[] = [
  {
    id: "list-users",
    service: "users",
    method: "GET",
    title: "List all users",
    access: "admin",
    main: true,
    path: () => "/users",
  },
  {
    id: "register",
    service: "users",
    method: "POST",
    title: "Create user",
    access: "public",
    main: true,
    path: () => "/users/register",
    body: (known) => newUser(known.unique()),
  },
  {
    id: "list-products",
    service: "products",
    method: "GET",
    title: "List all products",
    access: "public",
    main: true,
    path: () => "/products",
  },
  {
    id: "add-product",
    service: "products",
    method: "POST",
    title: "Add product",
    access: "admin",
    main: true,
    path: () => "/products",
    body: (known) => ({
      name: `Paper lantern ${known.unique()}`,
      description: "Folds flat.",
      price_cents: 1_850,
      stock: 25,
    }),
  },
  {
    id: "list-orders",
    service: "orders",
    method: "GET",
    title: "List all orders",
    access: "user",
    main: true,
    path: () => "/orders",
  },
  {
    id: "place-order",
    service: "orders",
    method: "POST",
    title: "Place order",
    access: "user",
    main: true,
    path: () => "/orders",
    body: (known) => ({ product_id: known.productId ?? NOBODY, quantity: 1 }),
  },
  {
    id: "login",
    service: "users",
    method: "POST",
    title: "Sign in",
    access: "public",
    main: false,
    path: () => "/users/login",
    body: () => ({ ...DEMO_CUSTOMER }),
  },
  {
    id: "me",
    service: "users",
    method: "GET",
    title: "The signed-in user",
    access: "user",
    main: false,
    path: () => "/users/me",
  },
  {
    id: "jwks",
    service: "users",
    method: "GET",
    title: "Public keys of tokens",
    access: "public",
    main: false,
    path: () => "/.well-known/jwks.json",
  },
  {
    id: "product",
    service: "products",
    method: "GET",
    title: "One product",
    access: "public",
    main: false,
    path: (known) => `/products/${known.productId ?? NOBODY}`,
  },
  {
    id: "patch-product",
    service: "products",
    method: "PATCH",
    title: "Change a product",
    access: "admin",
    main: false,
    path: (known) => `/products/${known.productId ?? NOBODY}`,
    body: (known) => ({ description: `Described anew, ${known.unique()}.` }),
  },
  {
    id: "restock",
    service: "products",
    method: "POST",
    title: "Add to the stock",
    access: "admin",
    main: false,
    path: (known) => `/products/${known.productId ?? NOBODY}/restock`,
    body: () => ({ quantity: 10 }),
  },
  {
    id: "correct",
    service: "products",
    method: "POST",
    title: "Correct the stock after a count",
    access: "admin",
    main: false,
    path: (known) => `/products/${known.productId ?? NOBODY}/correct`,
    body: () => ({ delta: -1, reason: "one was broken" }),
  },
  {
    id: "create-order",
    service: "orders",
    method: "POST",
    title: "Place order, by its other path",
    access: "user",
    main: false,
    path: () => "/orders/create",
    body: (known) => ({ items: [{ product_id: known.productId ?? NOBODY, quantity: 1 }] }),
  },
  {
    id: "order",
    service: "orders",
    method: "GET",
    title: "One order",
    access: "user",
    main: false,
    path: (known) => `/orders/${known.orderId ?? NOBODY}`,
  },
  {
    id: "cancel-order",
    service: "orders",
    method: "POST",
    title: "Cancel an order",
    access: "user",
    main: false,
    path: (known) => `/orders/${known.orderId ?? NOBODY}/cancel`,
  },
  {
    id: "readyz",
    service: "gateway",
    method: "GET",
    title: "Ready for requests?",
    access: "public",
    main: false,
    path: () => "/readyz",
  },
  {
    id: "status",
    service: "gateway",
    method: "GET",
    title: "What the lights show",
    access: "public",
    main: false,
    path: () => "/status",
  },
  {
    id: "openapi",
    service: "gateway",
    method: "GET",
    title: "The API's document",
    access: "public",
    main: false,
    path: () => "/openapi.json",
  },
];

/** A user that nobody else has, with a password good enough to be taken. */
export function newUser(unique: string): { name: string; email: string; password: string } {
  return { name: "Ada Sample", email: `ada.${unique}@example.com`, password: `harbour-lantern-${unique}` };
}
