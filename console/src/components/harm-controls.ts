import { css, html, nothing } from "lit";
import { type Control, controlTexts } from "../model/control.ts";
import { eventsOf } from "../model/pulse.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

/** What can be done on purpose to the running shop, each with its undo, which comes by itself when nobody asks for it. */
export class HarmControls extends View {
  static override styles = [
    base,
    css`
      ul { display: grid; gap: 12px; margin-top: 14px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 210px), 1fr)); }
      li { display: flex; flex-direction: column; align-items: stretch; gap: 10px; padding: 14px; border: 1px solid var(--line); border-radius: 10px; }
      li p { font-size: 13.5px; line-height: 1.45; }
      li.active { border-color: var(--warn); background: var(--warn-soft); }
      li.unavailable { border-style: dashed; }
      .in { margin-top: auto; font-size: 13px; }
      .active p { color: var(--text); }
      .failure { display: flex; gap: 8px; margin-top: 12px; font-size: 14px; color: var(--bad); }
      .failure svg { flex: none; margin-top: 3px; }
    `,
  ];

  #clock: ReturnType<typeof setInterval> | undefined;

  protected override watched({ controls, orders }: App) {
    return [controls.list, controls.busy, controls.failure, orders.queue.state];
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#stopClock();
  }

  override render() {
    const controls = this.app.controls.list.get();
    const failure = this.app.controls.failure.get();
    return html`
      <h3>Break something</h3>
      <p class="small muted">Each is really done to the running shop, and undoes itself after half a minute.</p>
      <ul>${controls.map((control) => this.#renderControl(control))}</ul>
      ${failure === undefined ? nothing : html`<p class="failure">${icons.warning}<span>${failure}</span></p>`}
      <p class="visually-hidden" role="status">${summarize(controls, failure)}</p>
    `;
  }

  /** A second hand only while there is something to count down. */
  protected override updated(): void {
    const counts = this.app.controls.list.get().some(({ state }) => state === "active");
    if (!counts) this.#stopClock();
    else this.#clock ??= setInterval(() => this.requestUpdate(), 1_000);
  }

  #stopClock(): void {
    clearInterval(this.#clock);
    this.#clock = undefined;
  }

  #renderControl(control: Control) {
    const { name, state, reason } = control;
    const { controls } = this.app;
    const texts = controlTexts[name];
    const action = state === "active" ? "undo" : "do";
    const busy = controls.busy.get();
    const disabled = busy !== undefined || state === "unavailable";
    return html`<li class=${state} data-control=${name}>
      <button class=${state === "active" ? "primary" : ""} aria-disabled=${disabled} aria-describedby="about-${name}"
        @click=${() => disabled || controls.use(name, action)}>${busy === name ? "One moment…" : texts[action]}</button>
      <p id="about-${name}" class="muted">${state === "unavailable" ? (reason ?? "Nobody here can do it.") : texts[state]}</p>
      ${state === "active" ? this.#renderMeanwhile(control) : nothing}
    </li>`;
  }

  /** What there is to do and to see until it is undone. */
  #renderMeanwhile(control: Control) {
    const { queue, own } = this.app.orders;
    const { waiting } = queue.state.get();
    const latest = this.app.pulses.recent.get().at(-1);
    const events = latest === undefined ? 0 : eventsOf(latest);
    return html`<button class="order" @click=${() => own.place()}>Place one order</button>
      <p class="tabular"><b>${waiting}</b> ${waiting === 1 ? "order" : "orders"}, <b>${events}</b> ${events === 1 ? "event" : "events"} wait now.</p>
      <p class="in tabular">Undone by itself in ${secondsLeft(control)} s.</p>`;
  }
}

function secondsLeft({ undoneAtMs = 0 }: Control): number {
  return Math.max(0, Math.ceil((undoneAtMs - performance.now()) / 1_000));
}

/** Spoken when it changes, so it holds no seconds. */
function summarize(controls: readonly Control[], failure: string | undefined): string {
  const active = controls.filter(({ state }) => state === "active").map(({ name }) => controlTexts[name].active);
  return [...active, ...(failure === undefined ? [] : [failure])].join(" ");
}

customElements.define("quartet-controls", HarmControls);
