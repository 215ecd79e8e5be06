import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Random } from "../../bus/simulation/random.ts";

/** See shim.c. */
const BLOCK = 4_096;
const KEPT = 0x5450454b;
const HEAD_BYTES = 16;

/** Which file a name leads to, by the file's key. */
type Names = Map<string, string>;

/**
 * What is safe of a folder's files, as shim.c has kept it beside the folder: what a power cut leaves.
 * Of what was written and not synced any block may be on the disk all the same, or none.
 */
export class Platter {
  readonly #folder: string;
  readonly #state: string;

  constructor(folder: string, state: string) {
    this.#folder = folder;
    this.#state = state;
  }

  /** Takes all that is in the folder for safe. No process may be writing there. */
  begin(): void {
    for (const name of readdirSync(this.#state)) if (name.endsWith(".log")) rmSync(join(this.#state, name));
    const names = this.#liveNames();
    for (const [name, key] of names) writeFileSync(this.#logOf(key), recordOf(readFileSync(join(this.#folder, name))));
    this.#writeNames(names);
  }

  /**
   * Makes the folder what it is after a power cut; its processes must have ended. All that is left is safe then.
   * @param random decides for each block, name and length that was not synced which of both it is; without it all of them are gone
   * @param isCut which files are on the disk that lost its power, by name
   */
  cut(random?: Random, isCut: (name: string) => boolean = () => true): void {
    const live = this.#liveNames();
    const safe = this.#safeNames();
    for (const [name, content] of this.#leftBy(random, isCut)) {
      const file = join(this.#folder, name);
      rmSync(file, { force: true });
      if (content !== undefined) writeFileSync(file, content, { mode: 0o600 });
      const was = live.get(name);
      if (was !== undefined) rmSync(this.#logOf(was), { force: true });
      const is = this.#liveNames().get(name);
      if (is === undefined) safe.delete(name);
      else {
        safe.set(name, is);
        writeFileSync(this.#logOf(is), recordOf(content ?? Buffer.alloc(0)));
      }
    }
    this.#writeNames(safe);
  }

  /** Makes another folder what this one would be after a power cut now; its processes must do nothing meanwhile. */
  copyAsCut(to: string, random?: Random): void {
    for (const [name, content] of this.#leftBy(random)) {
      if (content !== undefined) writeFileSync(join(to, name), content, { mode: 0o600 });
    }
  }

  /** What each name leads to after a power cut, undefined for none. */
  #leftBy(random: Random | undefined, isCut: (name: string) => boolean = () => true): Map<string, Buffer | undefined> {
    const live = this.#liveNames();
    const safe = this.#safeNames();
    const names = [...new Set([...live.keys(), ...safe.keys()])].filter(isCut).sort();
    return new Map(
      names.map((name) => {
        const keys = [safe.get(name), live.get(name)];
        const key = random === undefined ? keys[0] : random.pick(keys);
        return [name, key === undefined ? undefined : this.#contentOf(key, live, random)];
      }),
    );
  }

  #contentOf(key: string, live: Names, random: Random | undefined): Buffer {
    const log = this.#logOf(key);
    const safe = existsSync(log) ? safeContent(readFileSync(log)) : Buffer.alloc(0);
    const [name] = [...live].find(([, each]) => each === key) ?? [];
    if (random === undefined || name === undefined) return safe;
    return mix(safe, readFileSync(join(this.#folder, name)), random);
  }

  #liveNames(): Names {
    const files = readdirSync(this.#folder, { withFileTypes: true }).filter((each) => each.isFile());
    return new Map(
      files.map(({ name }) => {
        const { ino, birthtimeNs } = statSync(join(this.#folder, name), { bigint: true });
        return [name, `${ino}-${birthtimeNs}`];
      }),
    );
  }

  #safeNames(): Names {
    const lines = readFileSync(join(this.#state, "names"), { encoding: "utf8", flag: "a+" })
      .split("\n")
      .filter(Boolean);
    return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))]));
  }

  #writeNames(names: Names): void {
    writeFileSync(join(this.#state, "names"), Array.from(names, ([name, key]) => `${key} ${name}\n`).join(""));
  }

  #logOf(key: string): string {
    return join(this.#state, `${key}.log`);
  }
}

/** For each block and for the length, one of the two. */
function mix(safe: Buffer, live: Buffer, { pick, chance }: Random): Buffer {
  const mixed = Buffer.alloc(pick([safe, live]).length);
  for (let at = 0; at < mixed.length; at += BLOCK)
    mixed.set((chance(0.5) ? safe : live).subarray(at, Math.min(at + BLOCK, mixed.length)), at);
  return mixed;
}

/** One record that makes all of a file safe. */
function recordOf(content: Buffer): Buffer {
  const blocks = Math.ceil(content.length / BLOCK);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(KEPT, 0);
  head.writeUInt32LE(blocks, 4);
  head.writeBigUInt64LE(BigInt(content.length), 8);
  const body = Array.from({ length: blocks }, (_, number) => {
    const block = Buffer.alloc(8 + BLOCK);
    block.writeBigUInt64LE(BigInt(number), 0);
    content.copy(block, 8, number * BLOCK, (number + 1) * BLOCK);
    return block;
  });
  return Buffer.concat([head, ...body, head.subarray(0, 4)]);
}

/** Plays a log's records, but half a one at its end, over each other. */
function safeContent(log: Buffer): Buffer {
  let content: Buffer = Buffer.alloc(0);
  for (let at = 0; at + HEAD_BYTES <= log.length; ) {
    const kind = log.readUInt32LE(at);
    const blocks = log.readUInt32LE(at + 4);
    const end = at + HEAD_BYTES + blocks * (8 + BLOCK);
    if (end + 4 > log.length || log.readUInt32LE(end) !== kind) break;
    if (kind === KEPT) {
      content = resized(content, Number(log.readBigUInt64LE(at + 8)));
      for (let block = at + HEAD_BYTES; block < end; block += 8 + BLOCK) {
        log.copy(content, Number(log.readBigUInt64LE(block)) * BLOCK, block + 8, block + 8 + BLOCK);
      }
    }
    at = end + 4;
  }
  return content;
}

function resized(content: Buffer, length: number): Buffer {
  return length <= content.length
    ? Buffer.from(content.subarray(0, length))
    : Buffer.concat([content, Buffer.alloc(length - content.length)]);
}
