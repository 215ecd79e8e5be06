import { readFile } from "node:fs/promises";
import { timestampOf } from "../../../base/timestamp.ts";
import { StartRefusal } from "../../module.ts";
import type { KeptKey, KeyStore } from "./key-store.ts";
import { generateSigningKey, readSigningKey, type SigningKey, writeSigningKey } from "./signing-key.ts";

/** The keys of tokens, as they are at the moment of asking: another process may add one. */
export interface SigningKeys {
  /** The key that signs now. */
  signer(): Promise<SigningKey>;
  /** Those that tokens may be signed with, the newest first, the one that is to sign next included. */
  published(): Promise<SigningKey[]>;
}

export interface SigningKeysOptions {
  readonly store: KeyStore;
  /** PEM file of the key that signs; without it the kept ones do. */
  readonly keyFile: string | undefined;
  readonly tokenTtlSeconds: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What `rotateSigningKey` has begun. */
export interface KeyRotation {
  readonly kid: string;
  /** When the new key begins to sign, and when the old one is dropped. */
  readonly signsFrom: Date;
  readonly oldEndsAt: Date;
}

/** How far the clocks of those who check tokens may be behind. */
const LEEWAY_MS = 60_000;

/**
 * Opens the keys that are kept. Where there is neither a file nor a kept key, one is made and kept, so that tokens
 * outlive a restart.
 * @throws Error that names the file when it holds no such key
 */
export async function openSigningKeys(options: SigningKeysOptions): Promise<SigningKeys> {
  const { store, keyFile, tokenTtlSeconds, now } = options;
  const own = keyFile === undefined ? undefined : await readKeyFile(keyFile);
  await store.dropKeys(endedKeys(await store.keys(), tokenTtlSeconds, now()));
  if (own === undefined && (await store.keys()).length === 0) {
    await store.addFirstKey(keep(generateSigningKey(), now()));
  }
  const parse = createParser();

  /** Reads them each time: three short rows cost next to nothing beside a signature. */
  async function kept(): Promise<Current[]> {
    const keys = await store.keys();
    const ended = new Set(endedKeys(keys, tokenTtlSeconds, now()));
    const good = keys.filter(({ kid }) => !ended.has(kid));
    return good.map((row) => ({ key: parse(row), signs: Date.parse(row.signs_from) <= now() }));
  }

  return {
    async signer() {
      if (own !== undefined) return own;
      const keys = await kept();
      const key = keys.find(({ signs }) => signs) ?? keys.at(-1);
      if (key === undefined) throw new Error("all signing keys are gone from the database");
      return key.key;
    },
    async published() {
      const others = (await kept()).map(({ key }) => key).filter(({ kid }) => kid !== own?.kid);
      return own === undefined ? others : [own, ...others];
    },
  };
}

/**
 * Adds a key that is published at once and signs after some time, in which whoever checks tokens learns of it. The one
 * before is published until the last token that it signed has expired. The process that serves users may run meanwhile.
 * @param leadSeconds from publishing to signing: longer than others keep the published keys
 */
export async function rotateSigningKey({
  store,
  leadSeconds,
  tokenTtlSeconds,
  now,
}: Pick<SigningKeysOptions, "store" | "tokenTtlSeconds" | "now"> & {
  readonly leadSeconds: number;
}): Promise<KeyRotation> {
  const key = generateSigningKey();
  const signsFromMs = now() + leadSeconds * 1_000;
  await store.dropKeys(endedKeys(await store.keys(), tokenTtlSeconds, now()));
  await store.addKey(keep(key, signsFromMs));
  return {
    kid: key.kid,
    signsFrom: new Date(signsFromMs),
    oldEndsAt: new Date(endOfMs(signsFromMs, tokenTtlSeconds)),
  };
}

interface Current {
  readonly key: SigningKey;
  readonly signs: boolean;
}

/** The ids of those whose last token has expired. @param keys the newest first, so that each follows its successor */
function endedKeys(keys: readonly KeptKey[], tokenTtlSeconds: number, nowMs: number): string[] {
  return keys
    .filter((_, index) => {
      // Any of them: the next one may have been made by a clock that was ahead, and never sign.
      const successors = keys.slice(0, index);
      return successors.some(({ signs_from }) => endOfMs(Date.parse(signs_from), tokenTtlSeconds) <= nowMs);
    })
    .map(({ kid }) => kid);
}

function endOfMs(successorSignsFromMs: number, tokenTtlSeconds: number): number {
  return successorSignsFromMs + tokenTtlSeconds * 1_000 + LEEWAY_MS;
}

function keep(key: SigningKey, signsFromMs: number): KeptKey {
  return { kid: key.kid, private_key: writeSigningKey(key), signs_from: timestampOf(signsFromMs) };
}

/** Reads the text of each key once. */
function createParser(): (row: KeptKey) => SigningKey {
  const parsed = new Map<string, SigningKey>();
  return ({ kid, private_key }) => {
    const key = parsed.get(kid) ?? readSigningKey(private_key);
    parsed.set(kid, key);
    return key;
  };
}

async function readKeyFile(path: string): Promise<SigningKey> {
  try {
    return readSigningKey(await readFile(path, "utf8"));
  } catch (cause) {
    throw new StartRefusal(`The key file ${path} cannot be used: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}
