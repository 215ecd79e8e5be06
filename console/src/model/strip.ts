import { type Pulse, SHOWN_SECONDS } from "./pulse.ts";

/** Lines and areas of the strip, as paths of a drawing that is a unit wide for each second and 1 high, 0 at its top. */

const GAP = 0.16;

/** More than a second and a half without a pulse is a hole, and drawn as one. */
const HOLE_S = 1.5;

/** Where the second of a pulse begins. */
function xOf({ atMs }: Pulse, newestMs: number): number {
  return SHOWN_SECONDS - 1 - (newestMs - atMs) / 1_000;
}

/** A bar for each second that has something. @param value from 0 to 1, of the height; negative ones hang from the line */
export function barsPath(pulses: readonly Pulse[], base: number, value: (pulse: Pulse) => number): string {
  const newest = pulses.at(-1)?.atMs ?? 0;
  return pulses
    .filter((pulse) => value(pulse) !== 0)
    .map((pulse) => `M${at(xOf(pulse, newest) + GAP / 2)} ${at(base)}v${at(-value(pulse))}h${1 - GAP}V${at(base)}z`)
    .join("");
}

/** A line through the middles of the seconds that have a value, broken where there is none. @param value from 0 to 1 */
export function linePath(pulses: readonly Pulse[], value: (pulse: Pulse) => number | null): string {
  return runsOf(pulses, (pulse) => value(pulse) !== null)
    .map((run) => pointsOf(run, pulses, (pulse) => value(pulse) ?? 0))
    .map((points) => (points.length === 1 ? dot(points) : `M${points.join("L")}`))
    .join("");
}

/** The area under such a line. */
export function areaPath(pulses: readonly Pulse[], value: (pulse: Pulse) => number): string {
  return runsOf(pulses, () => true)
    .map((run) => {
      const points = pointsOf(run, pulses, value);
      const [first = ""] = points[0]?.split(" ") ?? [];
      const [last = ""] = points.at(-1)?.split(" ") ?? [];
      return `M${first} 1L${points.join("L")}L${last} 1z`;
    })
    .join("");
}

/** A band over the seconds for which something holds. */
export function bandPath(pulses: readonly Pulse[], holds: (pulse: Pulse) => boolean): string {
  const newest = pulses.at(-1)?.atMs ?? 0;
  return runsOf(pulses, holds)
    .map((run) => {
      const from = xOf(run[0] as Pulse, newest);
      const to = xOf(run.at(-1) as Pulse, newest) + 1;
      return `M${at(from)} 0H${at(to)}V1H${at(from)}z`;
    })
    .join("");
}

/** The smallest round number (1, 2, 5 times a power of ten) that is not below a value, and never below the least. */
export function roundUp(value: number, least: number): number {
  const bound = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(bound));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= bound) ?? bound;
}

/** Pulses that follow each other without a hole, and are all as wanted. */
function runsOf(pulses: readonly Pulse[], isWanted: (pulse: Pulse) => boolean): Pulse[][] {
  const runs: Pulse[][] = [];
  let last: Pulse | undefined;
  for (const pulse of pulses) {
    if (isWanted(pulse)) {
      const follows = last !== undefined && pulse.atMs - last.atMs < HOLE_S * 1_000;
      if (follows) runs.at(-1)?.push(pulse);
      else runs.push([pulse]);
      last = pulse;
    } else last = undefined;
  }
  return runs;
}

function pointsOf(run: readonly Pulse[], all: readonly Pulse[], value: (pulse: Pulse) => number): string[] {
  const newest = all.at(-1)?.atMs ?? 0;
  return run.map((pulse) => `${at(xOf(pulse, newest) + 0.5)} ${at(1 - value(pulse))}`);
}

/** A line of no length is not drawn, so that a second that stands alone has a short one. */
function dot([point = ""]: readonly string[]): string {
  return `M${point}h0.4`;
}

/** Two digits behind the point are finer than a pixel. */
function at(value: number): string {
  return String(Math.round(value * 100) / 100);
}
