import { readFileSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { positive } from "../flags.ts";
import { interleave } from "../interleave.ts";
import { describeOccasion, writeTables } from "../page.ts";
import type { Figures, ShopFigures } from "./figures.ts";
import { count, countIdle, figuresOf, measureRound, openSubject, type Subject } from "./measure.ts";
import { tablesOf } from "./tables.ts";
import { measureWalls } from "./walls.ts";

/**
 * What an order costs with 1, 2 and 4 of each service on one PostgreSQL, and with a PostgreSQL for each module, all asked for the same
 * orders a second, round by round; and how fast what goes one after the other goes. Writes `measured.json`, and the tables of
 * docs/CAPACITY.md from it.
 *
 *     npm run bench:scale                    # five minutes
 *     npm run bench:scale -- --tables        # the tables alone, of the last run
 *     npm run bench:scale -- --try --rounds 1 --seconds 2    # writes nothing
 */

const { values: flags } = parseArgs({
  options: {
    "per-second": { type: "string", default: "100" },
    connections: { type: "string", default: "32" },
    rounds: { type: "string", default: "7" },
    seconds: { type: "string", default: "5" },
    tables: { type: "boolean", default: false },
    try: { type: "boolean", default: false },
  },
});

const MEASURED = new URL("measured.json", import.meta.url);
const PAGE = new URL("../../docs/CAPACITY.md", import.meta.url);

const SHOPS = [
  { name: "1 of each", replicas: 1 },
  { name: "2 of each", replicas: 2 },
  { name: "4 of each", replicas: 4 },
  { name: "1 of each, a PostgreSQL per module", replicas: 1, isApart: true },
];

/** Each process is to have had as many calls as any other, or it is its compiler that is measured. */
const WARM_UP_MS = 4_000;
const IDLE_MS = 10_000;

const pace = { perSecond: positive("per-second", flags["per-second"]) };
const rounds = positive("rounds", flags.rounds);
const durationMs = positive("seconds", flags.seconds) * 1_000;

const figures = flags.tables ? read() : await measure();
const tables = tablesOf(figures);
for (const text of tables.values()) console.log(`${text}\n`);
if (!flags.try) {
  writeFileSync(MEASURED, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeTables(PAGE, tables);
}

function read(): Figures {
  return JSON.parse(readFileSync(MEASURED, "utf8"));
}

async function measure(): Promise<Figures> {
  // Who reads the figures is to know whether the machine had other things to do.
  const occasion = `${describeOccasion()}, load before it ${(loadavg()[0] ?? 0).toFixed(1)}`;
  const walls = await measureWalls();
  tell("the walls are measured");
  const subjects: Subject[] = [];
  try {
    for (const { name, ...options } of SHOPS) {
      subjects.push(await openSubject(name, options));
      tell(`${name}: ready`);
    }
    const connections = positive("connections", flags.connections);
    for (const subject of subjects) await measureRound(subject, { connections }, subject.replicas * WARM_UP_MS);
    for (const { rounds, seen } of subjects) {
      rounds.length = 0;
      seen.length = 0;
    }
    tell("warm");
    const shops = await measureShops(subjects);
    const [first] = subjects;
    if (first === undefined) throw new Error("there is no shop");
    const { perSecond, cpuMicros } = await measureRound(first, { connections }, durationMs);
    const fullLoad = { connections, perSecond, cpuMicros };
    const command = ["npm run bench:scale", ...process.argv.slice(2, 3).map(() => "--"), ...process.argv.slice(2)].join(
      " ",
    );
    return { occasion, command, perSecond: pace.perSecond, shops, fullLoad, walls };
  } finally {
    await Promise.all(subjects.map(({ topology }) => topology.stop()));
  }
}

async function measureShops(subjects: readonly Subject[]): Promise<ShopFigures[]> {
  const idle = await countIdle(subjects, IDLE_MS);
  tell("idle is measured");
  const before = await Promise.all(subjects.map(count));
  await interleave(subjects, rounds, (subject) => measureRound(subject, pace, durationMs));
  tell("the rounds are over");
  const after = (await countIdle(subjects, 0)).map(([counted]) => counted);
  const found = subjects.map((subject, at) => {
    const [from, to] = [before[at], after[at]];
    if (from === undefined || to === undefined) throw new Error("it was not counted");
    return figuresOf(subject, idle[at] ?? [], from, to);
  });
  return Promise.all(found);
}

function tell(what: string): void {
  console.error(`${what} (after ${Math.round(performance.now() / 1_000)} s)`);
}
