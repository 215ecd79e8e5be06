import { css, html, nothing } from "lit";
import { formatMs } from "../model/format.ts";
import type { App } from "../store/app.ts";
import type { QueueState } from "../store/order-queue.ts";
import { REFILL } from "../store/order-supply.ts";
import type { OwnOrder } from "../store/own-order.ts";
import { ORDERS_A_SECOND, type TrickleState } from "../store/trickle.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

/** Orders to watch the shop with: one at a click, or ten a second until the switch is off, the page hidden or left. */
export class OrderTrickle extends View {
  static override styles = [
    base,
    css`
      :host { display: flex; flex-direction: column; height: 100%; }
      quartet-waiting { flex: 1; margin-top: 14px; }
      .buttons { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 12px; }
      .switch .track { position: relative; width: 30px; height: 18px; border-radius: 9px; background: var(--line-strong); transition: background-color 0.15s; }
      .switch .track::after { content: ""; position: absolute; inset: 3px auto 3px 3px; width: 12px; border-radius: 50%; background: var(--surface); transition: translate 0.15s; }
      .switch[aria-checked="true"] { border-color: var(--accent); }
      .switch[aria-checked="true"] .track { background: var(--accent); }
      .switch[aria-checked="true"] .track::after { translate: 12px 0; }
      .words { display: grid; gap: 6px; margin-top: 12px; font-size: 14px; }
      .words:empty { display: none; }
      /* What is below stays where it is when a sentence is longer than the one before. */
      .words:not(:empty) { min-height: 8em; align-content: start; }
      .words p { display: flex; gap: 8px; }
      .words svg { flex: none; margin-top: 3px; }
      .good { color: var(--good); }
      .warn { color: var(--warn); }
      @media (max-width: 520px) { .buttons button { flex: 1 1 auto; } }
    `,
  ];

  protected override watched({ orders }: App) {
    return [orders.own.last, orders.trickle.state, orders.queue.state, orders.soldOut];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#onHidden);
    addEventListener("pagehide", this.#onLeft);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.#onHidden);
    removeEventListener("pagehide", this.#onLeft);
    this.#onLeft();
  }

  override render() {
    const { orders } = this.app;
    const own = orders.own.last.get();
    const trickle = orders.trickle.state.get();
    const queue = orders.queue.state.get();
    return html`
      <h3>Send orders</h3>
      <div class="buttons">
        <button class="one" @click=${() => orders.own.place()}>Place one order</button>
        <button class="switch" role="switch" aria-checked=${trickle.running} @click=${this.#toggle}><span class="track"></span>${ORDERS_A_SECOND} orders a second</button>
      </div>
      <quartet-waiting .app=${this.app}></quartet-waiting>
      <div class="words">${own === undefined ? nothing : renderOwn(own)}${renderCounts(trickle)}${renderQueue(queue, own)}${this.#renderRefill()}</div>
      <p class="visually-hidden" role="status">${summarize(own, trickle, queue)}</p>
    `;
  }

  #renderRefill() {
    const { orders } = this.app;
    const product = orders.soldOut.get();
    if (product === undefined) return nothing;
    return html`<p><button class="small refill" @click=${() => orders.refill()}>Put ${REFILL.toLocaleString("en")} of “${product.name}” on the shelf</button></p>`;
  }

  readonly #onLeft = (): void => this.app.orders.leave();

  readonly #onHidden = (): void => {
    if (document.visibilityState === "hidden") this.app.orders.leave();
  };

  #toggle(): void {
    const { trickle } = this.app.orders;
    if (trickle.state.get().running) trickle.stop();
    else void trickle.start();
  }
}

function renderOwn(own: OwnOrder) {
  const [tone, icon] = OWN_LOOKS[own.phase];
  return html`<p class="own ${own.phase} ${tone}">${icon}<span>${tellOwn(own)}</span></p>`;
}

const OWN_LOOKS: Readonly<Record<OwnOrder["phase"], readonly [tone: string, icon: unknown]>> = {
  none: ["warn", icons.warning],
  sent: ["muted", icons.outward],
  waiting: ["warn", icons.pause],
  pending: ["warn", icons.pause],
  confirmed: ["good", icons.check],
  rejected: ["good", icons.shield],
  refused: ["good", icons.shield],
};

function tellOwn({ phase, attempts, tookMs, why }: OwnOrder): string {
  const after = `${formatMs(tookMs)} after the click`;
  const again = attempts > 1 ? ` It took ${attempts} attempts, and was placed once.` : "";
  return {
    none: why ?? "",
    sent: "Your order is on its way.",
    waiting: `Your order waits in this page. ${why} It is sent again with the same key until it is taken.`,
    pending: "Your order is taken, and pending: its events have not got through yet.",
    confirmed: `Your order is confirmed, ${after}.${again}`,
    rejected: `Your order was rejected, ${after}: nothing was left, and the stock never went below zero.`,
    refused: `Your order was refused. ${why ?? "Not enough was left."}`,
  }[phase];
}

function renderCounts({ running, taken, refused, who, product, ended }: TrickleState) {
  const counts =
    running || taken + refused > 0
      ? html`<p class="counts tabular muted"><span>${who === undefined ? "" : `As ${who}, for “${product}”: `}<b>${taken}</b> taken, ${refused} refused.</span></p>`
      : nothing;
  return html`${counts}${ended === undefined ? nothing : html`<p class="ended warn">${icons.warning}<span>${ended}</span></p>`}`;
}

function renderQueue({ waiting, trouble, failures }: QueueState, own: OwnOrder | undefined) {
  if (waiting > 0) {
    if (own?.phase === "waiting") return nothing; // said once
    const why = trouble ?? "What waits goes out as fast as the shop takes it.";
    return html`<p class="queue warn">${icons.pause}<span>${why}</span></p>`;
  }
  if (failures === 0) return nothing;
  const attempts = failures === 1 ? "One attempt was" : `${failures} attempts were`;
  return html`<p class="queue muted tabular">${icons.restart}<span>${attempts} repeated: nothing lost, nothing placed twice.</span></p>`;
}

/** Spoken when it changes, so it holds no figure that always does. */
function summarize(own: OwnOrder | undefined, { running, ended }: TrickleState, { trouble }: QueueState): string {
  const sentences = [
    running ? `${ORDERS_A_SECOND} orders a second are being placed.` : "",
    trouble === undefined ? "" : "Orders wait in this page.",
    ended ?? "",
    own === undefined ? "" : tellOwn({ ...own, attempts: 1 }),
  ];
  return sentences.filter((sentence) => sentence !== "").join(" ");
}

customElements.define("quartet-trickle", OrderTrickle);
