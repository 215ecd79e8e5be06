import { css, html, LitElement, nothing } from "lit";
import { formatBytes, formatMs } from "../model/format.ts";
import { statusText } from "../model/status-text.ts";
import type { Exchange } from "../store/requests.ts";
import { base } from "./base-styles.ts";
import { drawBody } from "./masked-json.ts";
import { terminalColours } from "./response-terminal-styles.ts";

/** The answer of one endpoint, right below its button; for screens on which the terminal is not beside it. */
export class EndpointAnswer extends LitElement {
  static override properties = { exchange: { attribute: false } };
  static override styles = [
    base,
    terminalColours,
    css`
      .answer { margin-top: 10px; padding: 10px 12px; border-radius: 10px; }
      .figures { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 12px; font-size: 13px; color: #a9b0bd; }
      .body { max-height: min(46vh, 420px); margin-top: 6px; overflow: auto; scrollbar-width: thin; }
    `,
  ];

  declare exchange: Exchange;

  override render() {
    const { answer, failure, request } = this.exchange;
    return html`<div class="answer terminal">
      <p class="figures tabular">
        <span class="chip ${answer !== undefined && answer.status < 400 ? "good" : "bad"}">${answer === undefined ? "no answer" : statusText(answer.status)}</span>
        ${answer === undefined ? (failure ?? nothing) : html`<span>${formatMs(answer.tookMs)}</span><span>${formatBytes(answer.sizeBytes)}</span>`}
        ${request.as === undefined ? nothing : html`<span>as ${request.as}</span>`}
      </p>
      ${answer === undefined || answer.text === "" ? nothing : html`<div class="body" tabindex="0" role="region" aria-label="Answer of ${request.method} ${request.path}">${drawBody(answer)}</div>`}
    </div>`;
  }
}

customElements.define("quartet-endpoint-answer", EndpointAnswer);
