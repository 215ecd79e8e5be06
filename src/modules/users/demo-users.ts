import type { User } from "./user.ts";

/** Somebody who can sign in to a shop that has been opened for a look around, with a password that all the world can read. */
export interface DemoUser extends Pick<User, "name" | "email" | "role"> {
  readonly password: string;
}

/** The accounts that seeding writes; their passwords are refused in production. */
export const DEMO_USERS: readonly DemoUser[] = [
  { name: "Demo Admin", email: "admin@example.com", role: "admin", password: "admin-demo-password" },
  { name: "Demo Customer", email: "customer@example.com", role: "customer", password: "customer-demo-password" },
];

const admin = DEMO_USERS.find(({ role }) => role === "admin");

/** How the one that may do everything signs in, for the one click of the console and for commands. */
export const DEMO_ADMIN = admin && { email: admin.email, password: admin.password };
