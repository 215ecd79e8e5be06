import type { Flow, Step } from "./flow.ts";
import { formatMs } from "./format.ts";
import { type Engines, type Place, placeName } from "./places.ts";

/** The flow as a Mermaid sequence diagram, to paste into a document. */
export function toMermaid(flow: Flow, engines: Engines): string {
  const places = [...new Set(flow.steps.flatMap(({ from, to }) => [from, to]))];
  return [
    "sequenceDiagram",
    "  autonumber",
    ...places.map((place) => `  participant ${idOf(place)} as ${placeName(place, engines)}`),
    ...flow.steps.map((step) => `  ${idOf(step.from)}${arrow(step)}${idOf(step.to)}: ${label(step)}`),
    "",
  ].join("\n");
}

/** An answer is a dotted line, an event an open arrow, everything else a solid one. */
function arrow({ kind, phase }: Step): string {
  if (phase === "answer") return "-->>";
  return kind === "event" ? "-)" : "->>";
}

/** A semicolon or a hash would end the line there. */
function label(step: Step): string {
  const status = step.failed && step.phase !== "answer" ? ` (${step.status})` : "";
  return `${step.what}${status}, ${formatMs(step.durationMs)}`.replace(/[;#]/g, ",");
}

const idOf = (place: Place): string => place.replace(".", "_");
