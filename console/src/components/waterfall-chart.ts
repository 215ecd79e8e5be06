import { css, html, LitElement } from "lit";
import type { Flow, Step } from "../model/flow.ts";
import { formatMs, formatOffset } from "../model/format.ts";
import { type Engines, routeName } from "../model/places.ts";
import { base } from "./base-styles.ts";
import { arrowStyles } from "./diagram-styles.ts";

/** When each step ran and for how long, on one scale of real time. */
export class WaterfallChart extends LitElement {
  static override properties = {
    engines: { attribute: false },
    flow: { attribute: false },
    position: { attribute: false },
  };
  static override styles = [
    base,
    arrowStyles,
    css`
      .axis { display: flex; justify-content: space-between; padding: 0 0 6px; font-size: 12px; color: var(--text-2); border-bottom: 1px solid var(--line); }
      ol { padding: 6px 0; }
      li { padding: 5px 0; }
      .label { display: flex; justify-content: space-between; gap: 12px; font-size: 13px; }
      .label span:first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .label .tabular { color: var(--text-2); white-space: nowrap; }
      .track { position: relative; height: 10px; margin-top: 3px; border-radius: 5px; background: var(--surface-2); }
      .bar { position: absolute; inset-block: 0; min-width: 3px; border-radius: 5px; background: var(--kind); }
      .query .bar { background: repeating-linear-gradient(90deg, var(--kind) 0 4px, color-mix(in oklab, var(--kind), var(--surface) 35%) 4px 6px); }
      .direct .bar { background: linear-gradient(var(--kind) 0 30%, color-mix(in oklab, var(--kind), var(--surface) 55%) 30% 70%, var(--kind) 70%); }
      .event .bar { background: repeating-linear-gradient(90deg, var(--kind) 0 8px, color-mix(in oklab, var(--kind), var(--surface) 45%) 8px 11px); }
      .failed .bar { background: var(--bad); }
      .answer .bar { width: 3px; background: var(--text); }
      .current .label span:first-child { font-weight: 650; }
    `,
  ];

  declare engines: Engines;
  declare flow: Flow;
  declare position: number;

  override render() {
    const { steps, totalMs } = this.flow;
    return html`
      <div class="axis tabular" aria-hidden="true"><span>0</span><span>${formatMs(totalMs / 2)}</span><span>${formatMs(totalMs)}</span></div>
      <ol tabindex="0" aria-label="Waterfall of the steps, real time">${steps.map((step) => this.#renderStep(step, totalMs))}</ol>
    `;
  }

  #renderStep(step: Step, totalMs: number) {
    const percent = (ms: number): string => `${((100 * ms) / Math.max(totalMs, 0.001)).toFixed(2)}%`;
    const place = `left: ${percent(Math.max(0, step.startMs))}`;
    const size = step.phase === "answer" ? "" : `; width: ${percent(step.durationMs)}`;
    const classes = [
      step.kind,
      step.phase,
      step.failed ? "failed" : "",
      step.number === this.position ? "current" : "",
    ];
    return html`<li class=${classes.join(" ")}>
      <div class="label">
        <span>${step.number}. ${routeName(step, this.engines)} <span class="mono muted">${step.what}</span></span>
        <span class="tabular">${formatOffset(step.startMs)}${step.phase === "answer" ? "" : ` · ${formatMs(step.durationMs)}`}</span>
      </div>
      <div class="track"><div class="bar" .style=${place + size}></div></div>
    </li>`;
  }
}

customElements.define("quartet-waterfall", WaterfallChart);
