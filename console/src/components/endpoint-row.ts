import { css, html, nothing } from "lit";
import type { Endpoint } from "../model/endpoints.ts";
import type { App } from "../store/app.ts";
import type { Exchange } from "../store/requests.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

/** One endpoint: what it is, a body that can be changed, and the button that tries it. */
export class EndpointRow extends View {
  static override properties = {
    ...View.properties,
    endpoint: { attribute: false },
    edited: { state: true },
    last: { state: true },
    busy: { state: true },
  };
  static override styles = [
    base,
    css`
      :host { border-top: 1px solid var(--line); padding: 12px 4px; }
      .row { display: grid; grid-template-columns: minmax(0, 1fr) auto; align-items: center; gap: 2px 12px; }
      .route { display: flex; align-items: center; flex-wrap: wrap; gap: 4px 9px; }
      .path { overflow-wrap: anywhere; }
      .method { min-width: 48px; padding: 2px 7px; border-radius: 6px; font: 700 11.5px / 18px var(--mono); text-align: center; color: var(--accent); background: var(--accent-soft); }
      .method.post { color: var(--good); background: var(--good-soft); }
      .method.patch { color: var(--warn); background: var(--warn-soft); }
      .about { display: flex; flex-wrap: wrap; gap: 4px 10px; font-size: 13px; color: var(--text-2); }
      .test { grid-row: 1 / span 2; grid-column: 2; letter-spacing: 0.04em; }
      details { margin-top: 8px; }
      summary { width: fit-content; font-size: 13px; color: var(--text-2); padding: 2px 4px; margin-left: -4px; }
      textarea { margin-top: 6px; min-height: 108px; font: 13px / 1.5 var(--mono); resize: vertical; border-color: var(--line-strong); background: var(--surface); }
      .wrong { margin-top: 4px; font-size: 13px; color: var(--bad); }
    `,
  ];

  declare endpoint: Endpoint;
  /** The body as someone has changed it. */
  declare edited: string | undefined;
  declare last: Exchange | undefined;
  declare busy: boolean;

  constructor() {
    super();
    this.busy = false;
  }

  protected override watched(app: App) {
    return [app.known.version];
  }

  override render() {
    const { endpoint, last } = this;
    const path = endpoint.path(this.app.known);
    const status = last?.answer?.status;
    return html`
      <div class="row" data-endpoint=${endpoint.id}>
        <div class="route"><span class="method ${endpoint.method.toLowerCase()}">${endpoint.method}</span><span class="path mono">${path}</span></div>
        <div class="about"><span>${endpoint.title}</span>${endpoint.access === "public" ? nothing : html`<span>(${endpoint.access})</span>`}
          ${last === undefined ? nothing : html`<span class="chip ${status !== undefined && status < 400 ? "good" : "bad"}">${status ?? "no answer"}</span>`}</div>
        <button class="small test" aria-disabled=${this.busy} aria-label="Test ${endpoint.method} ${path}" @click=${this.test}>TEST</button>
      </div>
      ${endpoint.body === undefined ? nothing : this.#renderBody()}
    `;
  }

  #renderBody() {
    return html`<details>
      <summary>Body</summary>
      <textarea aria-label="Body of ${this.endpoint.method} ${this.endpoint.path(this.app.known)}" spellcheck="false" autocomplete="off"
        .value=${this.#body} @input=${this.#edit}></textarea>
      <p class="wrong" role="status">${isJson(this.#body) ? "" : "This is not valid JSON; it is sent as it stands."}</p>
    </details>`;
  }

  /** Sends the request as it stands here. A default body is made anew each time, so that it can be sent again. */
  async test(): Promise<void> {
    const { endpoint, app } = this;
    if (this.busy) return;
    this.busy = true;
    const body = endpoint.body === undefined ? undefined : this.#body;
    this.last = await app.requests.send(endpoint.method, endpoint.path(app.known), body);
    this.#default = undefined;
    this.busy = false;
  }

  #default: string | undefined;
  #madeFor: string | undefined;

  get #body(): string {
    if (this.edited !== undefined) return this.edited;
    const { productId, orderId } = this.app.known;
    const madeFor = `${productId} ${orderId}`;
    if (this.#default === undefined || this.#madeFor !== madeFor) {
      this.#default = JSON.stringify(this.endpoint.body?.(this.app.known), null, 2);
      this.#madeFor = madeFor;
    }
    return this.#default;
  }

  #edit(event: InputEvent): void {
    this.edited = (event.target as HTMLTextAreaElement).value;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

customElements.define("quartet-endpoint", EndpointRow);
