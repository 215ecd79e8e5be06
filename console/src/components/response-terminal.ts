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
        ${shown.length === 0 ? greeting : nothing}
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

const greeting = html`<div class="empty mono">
  <p><span class="prompt">$</span> <b>Hello. Nothing has been asked yet.</b></p>
  <p>Press a TEST button and its real answer stands here: status, time, headers, body. A run of a flow is told here too. Tokens and passwords are masked.</p>
  <p>From a shell it is the same: <b class="curl">curl ${location.origin}/products</b></p>
</div>`;

customElements.define("quartet-response-terminal", ResponseTerminal);
