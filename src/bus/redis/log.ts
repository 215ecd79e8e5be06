import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import type { LogEntry } from "../../store/store.ts";
import type { LogReplica, ReplicaEnds, Report, Reports } from "../log-replica.ts";
import type { LogSource } from "../log-source.ts";
import { createScripts } from "./scripts.ts";

/** How long a read waits for entries; the head is looked at as often. */
const READ_BLOCK_MS = 1_000;

/** The fields that the publisher reports what its log is in; no module has such a name. */
const FLOOR_FIELD = "#floor";
const DATABASE_FIELD = "#database";

/** `seq` and `epoch` of the newest entry, `first` of the oldest. An epoch never leaves the text it came as. */
const FIND_ENDS = `
local function find_ends(key)
  local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
  if not newest then return '0', '', '0' end
  local oldest = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  return string.match(newest[1], '^%d+'), newest[2][2], string.match(oldest[1], '^%d+')
end
local seq, epoch, first = find_ends(KEYS[1])
`;

const ENDS = `${FIND_ENDS} return {seq, epoch, first}`;

const APPEND = `${FIND_ENDS}
if seq ~= ARGV[1] or epoch ~= ARGV[2] then return {seq, epoch, first} end
if seq == '0' or ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
for i = 4, #ARGV, 4 do
  redis.call('XADD', KEYS[1], ARGV[i] .. '-0', 'epoch', ARGV[i + 1], 'previous_epoch', ARGV[i + 2], 'event', ARGV[i + 3])
end
return false
`;

// Without this flag a full Redis refuses what would let it be trimmed.
const TRIM = `#!lua flags=allow-oom
${FIND_ENDS}
if seq == ARGV[1] and epoch == ARGV[2] then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[3] .. '-0') end
`;
const REPORT = `#!lua flags=allow-oom
redis.call('HSET', KEYS[1], unpack(ARGV))
`;

/** What a script or command answers when a key holds something else, or a stream has had a higher id. */
const FOREIGN = /WRONGTYPE|equal or smaller than the target stream/;

export interface RedisLogOptions {
  /** Set before all keys; the log of `orders` is `<prefix>log:orders`. */
  readonly keyPrefix: string;
  readonly publisher: string;
  readonly commands: Redis;
}

/** A publisher's stream, for its relay. What is found there and is none of ours gives way to what the log has. */
export function createRedisReplica(options: RedisLogOptions): LogReplica {
  const { commands, publisher } = options;
  const { stream, reports } = keys(options);
  const evaluate = createScripts(commands);

  /** @throws Error when something else was found, which is gone then */
  async function using<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ForeignEntry) && !(error instanceof Error && FOREIGN.test(error.message))) throw error;
      await commands.del(key);
      throw new Error(`the stream of ${publisher} held what is none of it, and is filled anew`, { cause: error });
    }
  }

  return {
    ends: () => using(stream, async () => toEnds(await evaluate(ENDS, stream))),
    append(expected, rows, rebuild) {
      const values = rows.flatMap((row) => [String(row.seq), row.epoch, row.previousEpoch, row.event]);
      const expectation = [String(expected?.seq ?? 0), expected?.epoch ?? "", rebuild ? "1" : "0"];
      return using(stream, async () => {
        const found = await evaluate(APPEND, stream, ...expectation, ...values);
        return found === null ? undefined : toEnds(found);
      });
    },
    async trim(expected, seq) {
      await evaluate(TRIM, stream, String(expected.seq), expected.epoch, String(seq));
    },
    reports: () => using(reports, async () => toReports(await commands.hgetall(reports))),
    async reportOrigin(floor, database) {
      await evaluate(REPORT, reports, FLOOR_FIELD, String(floor), DATABASE_FIELD, database);
    },
  };
}

/**
 * A publisher's stream, for one subscriber.
 * @param reader a connection of its own: reads block
 */
export function createRedisSource({ reader, ...options }: RedisLogOptions & { reader: Redis }): LogSource {
  const { commands } = options;
  const { stream, reports } = keys(options);
  const evaluate = createScripts(commands);
  // No two reports are the same text, whoever makes them.
  const reporter = randomUUID();
  let made = 0;
  return {
    async read(seq, limit) {
      const found = await reader.xread("COUNT", limit, "BLOCK", READ_BLOCK_MS, "STREAMS", stream, `${seq}-0`);
      return found?.[0]?.[1].map(toEntry) ?? [];
    },
    head: async () => toEnds(await evaluate(ENDS, stream)).head,
    floor: async () => toReports(await commands.hgetall(reports)).floor,
    database: async () => (await commands.hget(reports, DATABASE_FIELD)) ?? undefined,
    async report(subscriber, { epoch, seq }) {
      made += 1;
      await evaluate(REPORT, reports, subscriber, `${seq}:${epoch} ${reporter}-${made}`);
    },
    async discard() {
      await commands.del(stream);
    },
  };
}

/** A whole number that JavaScript holds exactly. */
const SAFE_NUMBER = /^\d{1,15}$/;

class ForeignEntry extends Error {}

function keys({ keyPrefix, publisher }: RedisLogOptions) {
  const stream = `${keyPrefix}log:${publisher}`;
  return { stream, reports: `${stream}:reports` };
}

function toEnds(found: unknown): ReplicaEnds {
  const [seq, epoch, first] = found as [string, string, string];
  if (!SAFE_NUMBER.test(seq) || !SAFE_NUMBER.test(first)) throw new ForeignEntry(`${first}…${seq}`);
  if (seq === "0") return { head: undefined, first: undefined };
  return { head: { seq: Number(seq), epoch }, first: Number(first) };
}

/** What is none of ours gets a number that connects to nothing. */
function toEntry([id, fields]: [string, string[]]): LogEntry {
  const [, epoch = "", , previousEpoch = "", , event = ""] = fields;
  const [, digits = "NaN"] = /^(\d{1,15})-0$/.exec(id) ?? [];
  return { seq: Number(digits), epoch, previousEpoch, event };
}

function toReports(found: Record<string, string>): Reports {
  const { [FLOOR_FIELD]: floor, [DATABASE_FIELD]: database, ...positions } = found;
  const entries = Object.entries(positions).map(([name, beat]): [string, Report] => {
    const [, seq, epoch = ""] = /^(\d+):(.*?)(?: \S+)?$/s.exec(beat) ?? [];
    return [name, { seq: Number(seq ?? Number.NaN), epoch, beat }];
  });
  return { positions: new Map(entries), floor: floor === undefined ? undefined : Number(floor), database };
}
