import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "../../bench/quantile.ts";
import { proveClean } from "./clean.ts";
import { HARMS, type Harm, proveKilled } from "./killed.ts";
import { countOf, type Proof } from "./proof.ts";

/**
 * Modules move between real processes while a shop is in use.
 *
 *     npm run moves -- --seed 1 --seeds 5 --moves 20
 *
 * Orders, users and products move out of their home and back, sometimes two at once, and sometimes one that somebody else moves already, under 50
 * requests a second (`--rate`), with a console open, a long list being read, and 1,500 who wait for their orders (`--waits`). No request may fail
 * or take a second, the gate is closed for less than 150 ms at the median, one process at a time has a module's database open, and the books
 * add up. `--patient` is for a machine that does much else: what takes long is waited for.
 *
 *     npm run moves -- --harm random --seed 1 --seeds 100 --moves 3
 *
 * With `--harm giver`, `taker`, `redis`, `both` of the two, some of these or `random` for all, they are killed in the midst of each move, between any
 * two steps of it or a moment later, and started again. Nothing may be lost, doubled, oversold or unexpected, one process at a time has the
 * database open, and all is whole 10 s after the last start.
 *
 * The seed decides what moves and when, and who is killed; what the customers do meanwhile is up to the machine. What is not as wanted is
 * told, and the status is 1; `--outputs DIR` keeps what the processes of such a seed have printed.
 */
const { values: flags } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    seeds: { type: "string", default: "1" },
    moves: { type: "string" },
    harm: { type: "string", default: "none" },
    rate: { type: "string", default: "50" },
    waits: { type: "string", default: "1500" },
    patient: { type: "boolean", default: false },
    outputs: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

/** The most that is told of a seed. */
const MOST_TOLD = 20;

const harms = harmsOf(flags.harm);
const moves = Number(flags.moves ?? (harms.length === 0 ? 20 : 3));
process.setMaxListeners(0); // each process that is started adds one
const proofs: Proof[] = [];
for (let seed = Number(flags.seed); seed < Number(flags.seed) + Number(flags.seeds); seed += 1) {
  const proof = await prove(seed);
  proofs.push(proof);
  tellOf(seed, proof);
}
const bad = proofs.filter(({ wrong }) => wrong.length > 0).length;
const total = proofs.reduce((sum, proof) => sum + proof.moves, 0);
const gateMs = median(proofs.flatMap(({ gatesMs }) => gatesMs));
console.log(
  `${total} moves in ${proofs.length} seeds, ${bad} of which were not as wanted; the gate was closed for ${gateMs} ms at the median`,
);
if (harms.length > 0) console.log(`killed after: ${countOf(proofs.flatMap(({ killedAfter }) => killedAfter))}`);
process.exitCode = bad > 0 ? 1 : 0;

function prove(seed: number): Promise<Proof> {
  const { patient: isPatient } = flags;
  if (harms.length > 0) return proveKilled({ seed, moves, harms, isPatient, tell });
  return proveClean({ seed, moves, rate: Number(flags.rate), waits: Number(flags.waits), isPatient, tell });
}

function harmsOf(named: string): readonly Harm[] {
  if (named === "none") return [];
  if (named === "random") return HARMS;
  const known = new Set<string>(HARMS);
  const names = named.split(",");
  if (names.every((name): name is Harm => known.has(name))) return names;
  throw new Error(`--harm: expected none, random, or some of ${HARMS}`);
}

function tell(what: string): void {
  if (flags.verbose) console.error(`${new Date().toISOString().slice(11)} ${what}`);
}

function tellOf(seed: number, { told, wrong, details }: Proof): void {
  console.log(`seed ${seed}: ${told}`);
  for (const each of wrong.slice(0, MOST_TOLD)) console.log(`  not as wanted: ${each}`);
  if (wrong.length > MOST_TOLD) console.log(`  and ${wrong.length - MOST_TOLD} more`);
  if (wrong.length === 0 || flags.outputs === undefined) return;
  mkdirSync(flags.outputs, { recursive: true });
  details.forEach((detail, at) => {
    writeFileSync(join(flags.outputs ?? "", `seed-${seed}-${at}.log`), detail);
  });
}
