import { css, html, LitElement, svg } from "lit";
import type { ArrowKind } from "../model/places.ts";
import { arrowMarkers } from "./arrow-markers.ts";
import { base } from "./base-styles.ts";
import { arrowStyles } from "./diagram-styles.ts";

const KINDS: readonly (readonly [ArrowKind, string])[] = [
  ["http", "HTTP request"],
  ["direct", "Direct call"],
  ["event", "Async event"],
  ["query", "DB query"],
];

/** The sample of one kind of arrow. */
export function arrowSample(kind: ArrowKind) {
  return svg`<svg class="sample" width="46" height="14" viewBox="0 0 46 14" aria-hidden="true">
    ${arrowMarkers}
    <path class="edge ${kind}" d="M 2 7 L 42 7" marker-end="url(#${kind}-end)"></path>
  </svg>`;
}

/** What the four kinds of arrow mean. */
export class ArrowLegend extends LitElement {
  static override styles = [
    base,
    arrowStyles,
    css`
      ul { display: flex; flex-wrap: wrap; gap: 8px 22px; }
      li { display: flex; align-items: center; gap: 9px; font-size: 13.5px; color: var(--text-2); white-space: nowrap; }
      svg { overflow: visible; flex: none; }
    `,
  ];

  override render() {
    return html`<ul aria-label="Kinds of arrow">
      ${KINDS.map(([kind, name]) => html`<li>${arrowSample(kind)} ${name}</li>`)}
    </ul>`;
  }
}

customElements.define("quartet-arrow-legend", ArrowLegend);
