import { css, html, nothing } from "lit";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

/** How the shop does, second by second. */
export class PulseSection extends View {
  static override styles = [
    base,
    css`
      .card { padding: 18px 20px; }
      .grid { display: grid; gap: 16px; margin-top: 22px; grid-template-columns: minmax(0, 1fr); }
      .wide { grid-column: 1 / -1; }
      @media (min-width: 1000px) { .two { grid-template-columns: minmax(0, 1.7fr) minmax(0, 1fr); } }
      @media (max-width: 520px) { .card { padding: 16px 14px; } }
    `,
  ];

  protected override watched(app: App) {
    return [app.info, app.controls.list];
  }

  override render() {
    // A shop that is real is not to be played with by a click.
    const environment = this.app.info.get()?.environment;
    const isToTryOut = environment !== undefined && environment !== "production";
    const canHarm = this.app.controls.list.get().length > 0;
    return html`
      <h2>The last 60 seconds</h2>
      <p class="lead">What the shop answered, second by second, as its gateway measured it.${isToTryOut ? ` Send it orders${canHarm ? ", break something, and watch it heal" : ", and watch"}.` : ""}</p>
      <div class="grid ${isToTryOut ? "two" : ""}">
        <div class="card"><quartet-pulse-strip .app=${this.app} .withPage=${isToTryOut}></quartet-pulse-strip></div>
        ${isToTryOut ? html`<div class="card"><quartet-trickle .app=${this.app}></quartet-trickle></div>` : nothing}
        ${canHarm ? html`<div class="card wide"><quartet-controls .app=${this.app}></quartet-controls></div>` : nothing}
      </div>
    `;
  }
}

customElements.define("quartet-pulse-section", PulseSection);
