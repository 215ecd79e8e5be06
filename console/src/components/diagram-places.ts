import { nothing, svg } from "lit";
import type { Box } from "../model/geometry.ts";
import { type DatabaseName, type Place, placeName } from "../model/places.ts";
import type { BusStatus, Light, ModuleStatus, Status } from "../model/topology.ts";

interface Drawing {
  readonly box: Box;
  /** True where the current step begins or ends. */
  readonly lit: boolean;
  readonly narrow: boolean;
}

/** A database is a cylinder. */
export function drawDatabase(place: DatabaseName, { box, lit, narrow }: Drawing) {
  const rim = narrow ? 5 : 7;
  const { x, y, width, height } = box;
  const lines = narrow ? [place.slice(0, -3), ".db"] : [place];
  const firstY = y + height / 2 + (narrow ? 3 : 9);
  return svg`<g class="database ${lit ? "lit" : ""}">
    <path d="M ${x} ${y + rim} a ${width / 2} ${rim} 0 0 1 ${width} 0 v ${height - 2 * rim} a ${width / 2} ${rim} 0 0 1 ${-width} 0 z"></path>
    <path class="rim" d="M ${x} ${y + rim} a ${width / 2} ${rim} 0 0 0 ${width} 0"></path>
    ${lines.map((line, index) => svg`<text x=${x + width / 2} y=${firstY + index * 11}>${line}</text>`)}
  </g>`;
}

/** The client, a service, or the bus: its name, where it listens, and a sign when it does not run. */
export function drawService(place: Place, { box, lit, narrow }: Drawing, status: Status | undefined) {
  const about = place === "bus" ? status?.bus : status?.modules.find(({ name }) => name === place);
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const name = narrow && place === "gateway" ? "Gateway" : placeName(place);
  return svg`<g class="place ${place} ${lit ? "lit" : ""} ${about?.status ?? ""}">
    <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="12"></rect>
    <text class="name" x=${x} y=${about === undefined ? y + 5 : y - 3}>${name}</text>
    ${about === undefined ? nothing : svg`<text class="detail" x=${x} y=${y + (narrow ? 13 : 15)}>${detailOf(about)}</text>`}
    ${drawAlarm(about?.status, box)}
  </g>`;
}

const CROSS = "M -3.2 -3.2 L 3.2 3.2 M 3.2 -3.2 L -3.2 3.2";
const QUESTION = "M -2.4 -1.8 a 2.5 2.5 0 1 1 3.6 2.2 c -0.8 0.4 -1.2 0.9 -1.2 1.7 M 0 4.7 v 0.1";

function drawAlarm(light: Light | undefined, { x, y, width }: Box) {
  if (light === undefined || light === "running") return nothing;
  return svg`<g class="alarm" transform="translate(${x + width - 8} ${y + 8})">
    <circle r="9"></circle><path d=${light === "unknown" ? QUESTION : CROSS}></path>
  </g>`;
}

function detailOf(about: ModuleStatus | BusStatus): string {
  const trouble = about.status === "running" ? "" : ` ${about.status}`;
  if ("port" in about) return `:${about.port}${trouble}`;
  return (about.kind === "redis" ? "Redis Streams" : "EventEmitter2, in this process") + trouble;
}
