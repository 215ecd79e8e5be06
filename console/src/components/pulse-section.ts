import { css, html } from "lit";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

/** How the shop does, second by second. */
export class PulseSection extends View {
  static override styles = [
    base,
    css`
      .card { padding: 18px 20px; }
      .grid { display: grid; gap: 16px; margin-top: 22px; grid-template-columns: minmax(0, 1fr); align-items: start; }
      @media (max-width: 520px) { .card { padding: 16px 14px; } }
    `,
  ];

  protected override watched() {
    return [];
  }

  override render() {
    return html`
      <h2>The last 60 seconds</h2>
      <p class="lead">What the shop answered, second by second, as its gateway measured it.</p>
      <div class="grid">
        <div class="card"><quartet-pulse-strip .app=${this.app}></quartet-pulse-strip></div>
      </div>
    `;
  }
}

customElements.define("quartet-pulse-section", PulseSection);
