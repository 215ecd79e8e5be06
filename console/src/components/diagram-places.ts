import { nothing, svg } from "lit";
import type { Box } from "../model/geometry.ts";
import { type DatabaseName, databaseName, type Engines, type Place, placeName } from "../model/places.ts";
import { type BusStatus, type Light, listens, type ModuleStatus, type Status } from "../model/topology.ts";

interface Drawing {
  readonly box: Box;
  /** True where the current step begins or ends. */
  readonly lit: boolean;
  /** True where the step that went wrong first ends. */
  readonly broken: boolean;
  readonly narrow: boolean;
}

/** A database is a cylinder. */
export function drawDatabase(place: DatabaseName, engines: Engines, { box, lit, broken, narrow }: Drawing) {
  const rim = narrow ? 5 : 7;
  const { x, y, width, height } = box;
  const letter = narrow ? 6 : 7.2;
  const parts = databaseName(place, engines);
  const whole = parts.join("");
  const isParted = narrow || whole.length * letter > width;
  const lines = isParted ? parts : [whole];
  const firstY = y + height / 2 + (isParted ? 3 : 9);
  return svg`<g class="database ${lit ? "lit" : ""} ${broken ? "broken" : ""}">
    <path d="M ${x} ${y + rim} a ${width / 2} ${rim} 0 0 1 ${width} 0 v ${height - 2 * rim} a ${width / 2} ${rim} 0 0 1 ${-width} 0 z"></path>
    <path class="rim" d="M ${x} ${y + rim} a ${width / 2} ${rim} 0 0 0 ${width} 0"></path>
    ${lines.map((line, index) => svg`<text x=${x + width / 2} y=${firstY + index * (narrow ? 11 : 13)} textLength=${lengthFor(line, letter, width - 4)} lengthAdjust="spacingAndGlyphs">${line}</text>`)}
  </g>`;
}

/** The client, a service, or the bus: its name, where it listens, if anywhere, and a sign when it does not run. */
export function drawService(place: Place, { box, lit, broken, narrow }: Drawing, status: Status | undefined) {
  const about = place === "bus" ? status?.bus : status?.modules.find(({ name }) => name === place);
  const x = box.x + box.width / 2;
  const y = box.y + box.height / 2;
  const name = narrow && place === "gateway" ? "Gateway" : placeName(place);
  const detail = status === undefined || about === undefined ? "" : detailOf(about, status);
  return svg`<g class="place ${place} ${lit ? "lit" : ""} ${broken ? "broken" : ""} ${about?.status ?? ""}">
    <rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="12"></rect>
    <text class="name" x=${x} y=${detail === "" ? y + 5 : y - 3} textLength=${lengthFor(name, narrow ? 7.6 : 9.4, box.width - 8)} lengthAdjust="spacingAndGlyphs">${name}</text>
    ${detail === "" ? nothing : svg`<text class="detail" x=${x} y=${y + (narrow ? 13 : 15)}>${detail}</text>`}
    ${drawAlarm(about?.status, box)}
  </g>`;
}

/** How long a text is made that has no room otherwise. @param letter the usual width of one */
function lengthFor(text: string, letter: number, room: number) {
  return text.length * letter > room ? room : nothing;
}

const CROSS = "M -3.2 -3.2 L 3.2 3.2 M 3.2 -3.2 L -3.2 3.2";
const QUESTION = "M -2.4 -1.8 a 2.5 2.5 0 1 1 3.6 2.2 c -0.8 0.4 -1.2 0.9 -1.2 1.7 M 0 4.7 v 0.1";

function drawAlarm(light: Light | undefined, { x, y, width }: Box) {
  if (light === undefined || light === "running") return nothing;
  return svg`<g class="alarm" transform="translate(${x + width - 8} ${y + 8})">
    <circle r="9"></circle><path d=${light === "unknown" ? QUESTION : CROSS}></path>
  </g>`;
}

function detailOf(about: ModuleStatus | BusStatus, status: Status): string {
  const trouble = about.status === "running" ? "" : about.status;
  const where = "port" in about ? portOf(about, status) : BUS_KINDS[about.kind];
  return `${where} ${trouble}`.trim();
}

const BUS_KINDS: Readonly<Record<BusStatus["kind"], string>> = {
  redis: "Redis Streams",
  memory: "EventEmitter2, in this process",
};

function portOf({ name, port }: ModuleStatus, status: Status): string {
  return listens(status, name) ? `:${port}` : "";
}
