import { readFile } from "node:fs/promises";
import { generateSigningKey, readSigningKey, type SigningKey, writeSigningKey } from "./signing-key.ts";
import type { UserStore } from "./store.ts";

/**
 * The keys that are in use, the one that signs first. That is the file's if there is one; else the newest that
 * is kept, and when there is none it is made and kept, so that tokens outlive a restart.
 * @throws Error that names the file when it holds no such key
 */
export async function loadSigningKeys(
  store: Pick<UserStore, "signingKeys" | "addSigningKey">,
  keyFile: string | undefined,
): Promise<[SigningKey, ...SigningKey[]]> {
  const kept = (await store.signingKeys()).map(({ private_key }) => readSigningKey(private_key));
  if (keyFile !== undefined) {
    const own = await readKeyFile(keyFile);
    return [own, ...kept.filter(({ kid }) => kid !== own.kid)];
  }
  const [newest, ...older] = kept;
  if (newest !== undefined) return [newest, ...older];
  const made = generateSigningKey();
  await store.addSigningKey({ kid: made.kid, private_key: writeSigningKey(made) });
  return [made];
}

async function readKeyFile(path: string): Promise<SigningKey> {
  try {
    return readSigningKey(await readFile(path, "utf8"));
  } catch (cause) {
    throw new Error(`The key file ${path} cannot be used: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
