/** The admin that seeding makes. */
export const DEMO_ADMIN = { email: "admin@example.com", password: "admin-demo-password" } as const;
