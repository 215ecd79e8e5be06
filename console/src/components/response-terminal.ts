import { css, html, nothing } from "lit";
import { repeat } from "lit/directives/repeat.js";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { terminalStyles } from "./response-terminal-styles.ts";
import { View } from "./view.ts";

/** The real answers, newest first. */
export class ResponseTerminal extends View {
  static override styles = [base, terminalStyles, css`:host { display: block; }`];

  protected override watched(app: App) {
    return [app.requests.shown];
  }

  override render() {
    const shown = this.app.requests.shown.get().toReversed();
    return html`<section class="terminal" aria-labelledby="terminal-title">
      <header>
        <h2 id="terminal-title">API Response Terminal</h2>
        <button class="small quiet" aria-disabled=${shown.length === 0} @click=${() => this.app.requests.clear()}>Clear</button>
      </header>
      <div class="log" tabindex="0" role="log" aria-label="Answers, newest first">
        ${shown.length === 0 ? html`<p class="empty mono">$ press a TEST button, or run a flow<span class="cursor"></span></p>` : nothing}
        ${repeat(
          shown,
          ({ number }) => number,
          (exchange, index) =>
            html`<quartet-exchange .app=${this.app} .exchange=${exchange} .newest=${index === 0}></quartet-exchange>`,
        )}
      </div>
    </section>`;
  }
}

customElements.define("quartet-response-terminal", ResponseTerminal);
