import { createHash, generateKeyPairSync } from "node:crypto";
import jwt from "jsonwebtoken";
import moleculer from "moleculer";
import { v7 as uuid } from "uuid";
import { openDatabase } from "../../database.ts";

const COLUMNS = "id, name, email, canonical_email, role, password_hash, created_at";

export function createUsers(folder) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const database = openDatabase("users", folder);
  const insert = database.prepare(`INSERT INTO users (${COLUMNS}) VALUES (?, ?, ?, ?, 'customer', ?, ?)`);
  const find = database.prepare("SELECT id, name, email, role, created_at FROM users WHERE id = ?");
  return {
    name: "users",
    actions: {
      register: {
        params: { name: "string|optional", email: "email", password: "string|min:12" },
        handler(ctx) {
          const { email, password, name = email } = ctx.params;
          const id = uuid();
          const hash = createHash("sha256").update(password).digest("hex");
          insert.run(id, name, email, email, hash, new Date().toISOString());
          const token = jwt.sign({}, privateKey, { algorithm: "ES256", subject: id, expiresIn: 3_600 });
          ctx.meta.$statusCode = 201;
          ctx.meta.$location = `/users/${id}`;
          return { user: { id }, token };
        },
      },
      resolveToken: {
        params: { token: "string" },
        handler(ctx) {
          const { sub: id, exp } = jwt.verify(ctx.params.token, publicKey, { algorithms: ["ES256"] });
          return { id, exp };
        },
      },
      get: {
        params: { id: "uuid" },
        handler(ctx) {
          const user = find.get(ctx.params.id);
          if (user === undefined) throw new moleculer.Errors.MoleculerClientError("There is no such user.", 404);
          return user;
        },
      },
    },
  };
}
