import { css, html, nothing } from "lit";
import { toCurl } from "../model/curl.ts";
import { formatBytes, formatMs } from "../model/format.ts";
import { parseJson } from "../model/json.ts";
import { maskSecrets } from "../model/mask.ts";
import { statusText } from "../model/status-text.ts";
import type { App } from "../store/app.ts";
import type { Exchange } from "../store/requests.ts";
import { base } from "./base-styles.ts";
import { copyText } from "./copy-text.ts";
import { icons } from "./icons.ts";
import { prefersStillness } from "./motion.ts";
import { terminalStyles } from "./response-terminal-styles.ts";
import { View } from "./view.ts";

/** The real answers, newest first. */
export class ResponseTerminal extends View {
  static override properties = { ...View.properties, copied: { state: true } };
  static override styles = [base, terminalStyles, css`:host { display: block; }`];

  /** The number of the exchange whose command was copied just now. */
  declare copied: number | undefined;

  protected override watched(app: App) {
    return [app.requests.shown, app.traces];
  }

  override render() {
    const shown = this.app.requests.shown.get().toReversed();
    return html`<section class="terminal" aria-labelledby="terminal-title">
      <header>
        <h2 id="terminal-title">API Response Terminal</h2>
        <button class="small quiet" ?disabled=${shown.length === 0} @click=${() => this.app.requests.clear()}>Clear</button>
      </header>
      <div class="log" tabindex="0" role="log" aria-label="Answers, newest first">
        ${shown.length === 0 ? html`<p class="empty mono">$ press a TEST button, or run a flow<span class="cursor"></span></p>` : nothing}
        ${shown.map((exchange, index) => this.#renderExchange(exchange, index === 0))}
      </div>
    </section>`;
  }

  #renderExchange(exchange: Exchange, newest: boolean) {
    const { request, answer, failure } = exchange;
    const tone = answer === undefined || answer.status >= 400 ? "bad" : "good";
    return html`<details class="exchange" ?open=${newest} data-number=${exchange.number}>
      <summary>
        <span class="request mono"><span class="prompt">$</span> ${request.method} ${request.path}</span>
        <span class="figures tabular">${
          answer === undefined
            ? html`<span class="chip ${failure === undefined ? "" : "bad"}">${failure === undefined ? "…" : "no answer"}</span>`
            : html`<span class="chip ${tone}">${statusText(answer.status)}</span><span>${formatMs(answer.tookMs)}</span><span>${formatBytes(answer.sizeBytes)}</span>`
        }</span>
      </summary>
      <div class="tools">
        <button class="small quiet" @click=${() => this.#copy(exchange)}>${this.copied === exchange.number ? icons.check : icons.copy} ${this.copied === exchange.number ? "Copied" : "Copy as curl"}</button>
        ${this.app.traces.flow(exchange.traceId) === undefined ? nothing : html`<button class="small quiet show-flow" @click=${() => this.#showFlow(exchange)}>${icons.flow} Show in flow</button>`}
      </div>
      ${failure === undefined ? nothing : html`<p class="failure">${failure}</p>`}
      ${request.body === undefined ? nothing : html`<h3>Sent</h3><quartet-json .value=${maskSecrets(parseJson(request.body) ?? request.body)}></quartet-json>`}
      ${answer === undefined ? nothing : html`<dl class="mono">${answer.headers.map(([name, value]) => html`<div><dt>${name}:</dt> <dd>${value}</dd></div>`)}</dl>
        ${answer.text === "" ? nothing : html`<h3>Answered</h3><quartet-json .value=${maskSecrets(answer.json ?? answer.text)}></quartet-json>`}`}
    </details>`;
  }

  async #copy(exchange: Exchange): Promise<void> {
    if (!(await copyText(toCurl(location.origin, exchange.request)))) return;
    this.copied = exchange.number;
    setTimeout(() => {
      this.copied = undefined;
    }, 2_000);
  }

  #showFlow(exchange: Exchange): void {
    const flow = this.app.traces.flow(exchange.traceId);
    if (flow === undefined) return;
    const { player } = this.app.stages.show(flow);
    if (prefersStillness()) player.finish();
    else player.play();
    this.dispatchEvent(new CustomEvent("show-flow", { bubbles: true, composed: true }));
  }
}

customElements.define("quartet-response-terminal", ResponseTerminal);
