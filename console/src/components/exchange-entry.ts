import { css, html, nothing } from "lit";
import { toCurl } from "../model/curl.ts";
import { formatBytes, formatMs } from "../model/format.ts";
import { parseJson } from "../model/json.ts";
import { maskSecretsInText } from "../model/mask.ts";
import { statusText } from "../model/status-text.ts";
import type { App } from "../store/app.ts";
import type { Answer, Exchange } from "../store/requests.ts";
import { base } from "./base-styles.ts";
import { copyText } from "./copy-text.ts";
import { exchangeStyles } from "./exchange-entry-styles.ts";
import { icons } from "./icons.ts";
import { drawBody, drawJson } from "./masked-json.ts";
import { prefersStillness } from "./motion.ts";
import { terminalColours } from "./response-terminal-styles.ts";
import { View } from "./view.ts";

/** One request and its answer; only an open one draws what is in it. */
export class ExchangeEntry extends View {
  static override properties = {
    ...View.properties,
    exchange: { attribute: false },
    newest: { attribute: false },
    opened: { state: true },
    copied: { state: true },
  };
  static override styles = [base, terminalColours, exchangeStyles, css`:host { display: block; }`];

  declare exchange: Exchange;
  /** The newest is open, unless someone has closed it. */
  declare newest: boolean;
  /** As someone has left it. */
  declare opened: boolean | undefined;
  declare copied: boolean;

  protected override watched(app: App) {
    return [app.traces];
  }

  override render() {
    const { request } = this.exchange;
    const open = this.opened ?? this.newest;
    return html`<details class="entry" ?open=${open} @toggle=${this.#remember}>
      <summary>
        <span class="request mono"><span class="prompt">$</span> ${request.method} ${request.path}</span>
        <span class="figures tabular"><span class="as">${request.as === undefined ? "" : `as ${request.as}`}</span>${figures(this.exchange)}</span>
      </summary>
      ${open ? this.#renderContent() : nothing}
    </details>`;
  }

  #renderContent() {
    const { request, answer, failure, traceId } = this.exchange;
    const seen = this.app.traces.flow(traceId) !== undefined;
    return html`
      <div class="tools">
        <button class="small quiet" @click=${this.#copy}>${this.copied ? icons.check : icons.copy} ${this.copied ? "Copied" : "Copy as curl"}</button>
        ${seen ? html`<button class="small quiet show-flow" @click=${this.#showFlow}>${icons.flow} Show in flow</button>` : nothing}
      </div>
      ${failure === undefined ? nothing : html`<p class="failure">${failure}</p>`}
      ${request.body === undefined ? nothing : sent(parseJson(request.body) ?? maskSecretsInText(request.body))}
      ${answer === undefined ? nothing : renderAnswer(answer)}
    `;
  }

  #remember(event: Event): void {
    const { open } = event.target as HTMLDetailsElement;
    if (open !== (this.opened ?? this.newest)) this.opened = open;
  }

  async #copy(): Promise<void> {
    this.copied = await copyText(toCurl(location.origin, this.exchange.request));
    setTimeout(() => {
      this.copied = false;
    }, 2_000);
  }

  #showFlow(): void {
    const flow = this.app.traces.flow(this.exchange.traceId);
    if (flow === undefined) return;
    const { player } = this.app.stages.show(flow);
    if (prefersStillness()) player.finish();
    else player.play();
    this.dispatchEvent(new CustomEvent("show-flow", { bubbles: true, composed: true }));
  }
}

function figures({ answer, failure }: Exchange) {
  if (failure !== undefined) return html`<span class="chip bad">no answer</span>`;
  if (answer === undefined) return html`<span class="chip">…</span>`;
  return html`<span class="chip ${answer.status >= 400 ? "bad" : "good"}">${statusText(answer.status)}</span>
    <span>${formatMs(answer.tookMs)}</span><span>${formatBytes(answer.sizeBytes)}</span>`;
}

function renderAnswer(answer: Answer) {
  const { headers, text } = answer;
  return html`<h3>Answered</h3>
    <dl class="mono">${headers.map(([name, value]) => html`<div><dt>${name}:</dt> <dd>${value}</dd></div>`)}</dl>
    ${text === "" ? nothing : drawBody(answer)}`;
}

function sent(value: unknown) {
  return html`<h3>Sent</h3>${drawJson(value)}`;
}

customElements.define("quartet-exchange", ExchangeEntry);
