import { type Endpoint, NOBODY, newUser } from "./endpoint.ts";

/** What the tester shows first: list and create, of each service. */
export const endpoints: readonly Endpoint[] = [
  {
    id: "list-users",
    service: "users",
    method: "GET",
    title: "List all users",
    access: "admin",
    path: () => "/users",
  },
  {
    id: "register",
    service: "users",
    method: "POST",
    title: "Create user",
    access: "public",
    path: () => "/users/register",
    body: (known) => newUser(known.unique()),
  },
  {
    id: "list-products",
    service: "products",
    method: "GET",
    title: "List all products",
    access: "public",
    path: () => "/products",
  },
  {
    id: "add-product",
    service: "products",
    method: "POST",
    title: "Add product",
    access: "admin",
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
    path: () => "/orders",
  },
  {
    id: "place-order",
    service: "orders",
    method: "POST",
    title: "Place order",
    access: "user",
    path: () => "/orders",
    body: (known) => ({ product_id: known.productId ?? NOBODY, quantity: 1 }),
  },
];
