import { css, html, nothing } from "lit";
import { controlTexts } from "../model/control.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { describeGates } from "./diagram-gates.ts";
import { View } from "./view.ts";

const NAME = "move-orders";

/** Moves orders out of its process and back, where that can be done, beside the diagram that shows it. */
export class MoveControl extends View {
  static override styles = [base, css`@media (max-width: 520px) { .whom { display: none; } }`];

  protected override watched({ controls, gates }: App) {
    return [controls.list, controls.busy, gates.shown];
  }

  override render() {
    const { controls, gates } = this.app;
    const state = controls.list.get().find(({ name }) => name === NAME)?.state;
    const canMove = state === "ready" || state === "active";
    return html`${canMove ? this.#renderButton(state === "active" ? "undo" : "do") : nothing}
      <p class="visually-hidden" role="status">${describeGates(gates.shown.get()).trim()}</p>`;
  }

  #renderButton(action: "do" | "undo") {
    const { controls } = this.app;
    const busy = controls.busy.get();
    const text = controlTexts[NAME][action];
    const [before, after] = text.split(" orders");
    return html`<button class="small" aria-label=${text} aria-disabled=${busy !== undefined} @click=${() => busy ?? controls.use(NAME, action)}>${
      busy === NAME ? "Moving…" : html`<span>${before}<span class="whom"> orders</span>${after}</span>`
    }</button>`;
  }
}

customElements.define("quartet-move-control", MoveControl);
