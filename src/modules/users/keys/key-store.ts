import { sql } from "../../../store/sql.ts";
import type { Store } from "../../../store/store.ts";

/** A signing key as it is kept: PKCS #8 in PEM. */
export interface KeptKey {
  readonly kid: string;
  readonly private_key: string;
  /** When it begins to sign, RFC 3339. */
  readonly signs_from: string;
}

/** The signing keys that are kept. */
export interface KeyStore {
  /** All of them, the one that was made last first, whatever the clock said then. */
  keys(): Promise<KeptKey[]>;
  addKey(key: KeptKey): Promise<void>;
  /** Adds a key if there is none, and nobody else adds one at the same moment. */
  addFirstKey(key: KeptKey): Promise<void>;
  dropKeys(kids: readonly string[]): Promise<void>;
}

export function createKeyStore(store: Store): KeyStore {
  return {
    keys: () =>
      store.read((reading) =>
        reading.all(sql<KeptKey>`SELECT kid, private_key, signs_from FROM signing_keys ORDER BY rowid DESC`),
      ),
    addKey: ({ kid, private_key, signs_from }) =>
      store.write(function* (unit) {
        yield* unit.run(
          sql`INSERT INTO signing_keys (kid, private_key, signs_from) VALUES (${kid}, ${private_key}, ${signs_from})`,
        );
      }),
    addFirstKey: ({ kid, private_key, signs_from }) =>
      store.write(function* (unit) {
        yield* unit.run(
          sql`INSERT INTO signing_keys (kid, private_key, signs_from, is_first) SELECT ${kid}, ${private_key}, ${signs_from}, 1
            WHERE NOT EXISTS (SELECT 1 FROM signing_keys) ON CONFLICT (is_first) DO NOTHING`,
        );
      }),
    async dropKeys(kids) {
      if (kids.length === 0) return;
      await store.write(function* (unit) {
        for (const kid of kids) yield* unit.run(sql`DELETE FROM signing_keys WHERE kid = ${kid}`);
      });
    },
  };
}
