import { svg } from "lit";
import { formatMs } from "../model/format.ts";
import type { Gate } from "../model/gate.ts";
import type { Geometry } from "../model/geometry.ts";
import { isModule } from "../model/places.ts";

/** Gates of modules that move, across the way to them, and how many calls wait or have waited there. */
export function drawGates({ boxes, cells }: Geometry, gates: readonly Gate[], narrow: boolean) {
  return gates.map((gate) => {
    const box = isModule(gate.module) ? boxes.get(gate.module) : undefined;
    const cell = isModule(gate.module) ? cells.get(gate.module) : undefined;
    if (box === undefined || cell === undefined) return svg``;
    const half = narrow ? 13 : 20;
    const line = narrow ? 11 : 15;
    const [count, time] = tell(gate);
    return svg`<g class="gate ${gate.closed ? "closed" : "open"}" transform="translate(${box.x + box.width / 2} ${cell.y})" data-gate=${gate.module}>
      <path class="leaf left" d="M ${-half} 0 H 0"></path>
      <path class="leaf right" d="M ${half} 0 H 0"></path>
      <path class="posts" d="M ${-half} -6 V 6 M ${half} -6 V 6"></path>
      <text x=${half + 6} y=${-line - 3}>${count}</text>
      <text x=${half + 6} y="-5">${time}</text>
    </g>`;
  });
}

/** In two short lines. */
function tell({ closed, waiting, waited, closedMs }: Gate): readonly [string, string] {
  return [closed ? `${waiting} wait` : `${waited} waited`, formatMs(closedMs)];
}

/** The same in words. */
export function describeGates(gates: readonly Gate[]): string {
  return gates
    .map(({ module, closed, waited, closedMs }) =>
      closed
        ? ` ${module} moves: calls wait at its gate.`
        : ` The gate of ${module} was closed for ${formatMs(closedMs)}; ${waited} calls waited there.`,
    )
    .join("");
}
