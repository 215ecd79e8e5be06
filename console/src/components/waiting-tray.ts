import { css, html, svg } from "lit";
import { eventsOf } from "../model/pulse.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

const COLUMNS = 40;

/** More are a number only. */
const MOST_DRAWN = 8 * COLUMNS;

/** What waits, piece by piece: orders in this page, and events at the shop. It piles up while something is broken, and drains after that. */
export class WaitingTray extends View {
  static override styles = [
    base,
    css`
      :host { display: flex; flex-direction: column; gap: 12px; padding: 12px 14px 14px; border: 1px dashed var(--line-strong); border-radius: 10px; }
      ul { display: flex; flex-wrap: wrap; gap: 4px 22px; font-size: 14px; }
      li { display: flex; align-items: baseline; gap: 7px; }
      b { font-size: 20px; line-height: 1; }
      i { flex: none; width: 10px; height: 10px; border-radius: 2px; }
      .order { background: var(--event); }
      .event { border: 2px solid var(--event); }
      svg { display: block; width: 100%; margin-top: auto; }
      .orders { fill: var(--event); }
      .own { fill: var(--accent); }
      .events { fill: none; stroke: var(--event); stroke-width: 0.14; }
      .field { flex: 1; display: flex; min-height: 40px; }
      .field p { margin: auto; }
      /* Room for most of the rows, where nothing beside it gives it a height. */
      @media (max-width: 999px) { .field { min-height: 76px; } }
    `,
  ];

  protected override watched({ orders, pulses }: App) {
    return [orders.queue.state, orders.own.last, pulses.recent];
  }

  override render() {
    const { waiting } = this.app.orders.queue.state.get();
    const isOwn = waiting > 0 && this.app.orders.own.last.get()?.phase === "waiting";
    const latest = this.app.pulses.recent.get().at(-1);
    const events = latest === undefined ? 0 : eventsOf(latest);
    const drawnOrders = Math.min(waiting, MOST_DRAWN);
    const drawn = Math.min(waiting + events, MOST_DRAWN);
    const rows = Math.ceil(drawn / COLUMNS);
    return html`
      <ul class="tabular">
        <li><i class="order"></i><span><b>${waiting}</b> ${waiting === 1 ? "order waits" : "orders wait"} in this page</span></li>
        <li><i class="event"></i><span><b>${events}</b> ${events === 1 ? "event waits" : "events wait"} at the shop</span></li>
      </ul>
      <div class="field" aria-hidden="true">${
        rows === 0
          ? html`<p class="muted small">Nothing waits now.</p>`
          : html`<svg viewBox="0 0 ${COLUMNS} ${rows}">${svg`
              <path class="orders" d=${squares(isOwn ? 1 : 0, drawnOrders, rows)} />
              <path class="own" d=${squares(0, isOwn ? 1 : 0, rows)} />
              <path class="events" d=${squares(drawnOrders, drawn, rows)} />`}</svg>`
      }</div>
    `;
  }
}

/** Those from one number to another, in rows from the bottom up. */
function squares(from: number, to: number, rows: number): string {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => {
    const at = from + index;
    return `M${(at % COLUMNS) + 0.1} ${rows - 1 - Math.floor(at / COLUMNS) + 0.1}h.8v.8h-.8z`;
  }).join("");
}

customElements.define("quartet-waiting", WaitingTray);
