import { css, html, nothing } from "lit";
import { type Endpoint, newUser, TRIAL_TO_COME, type Trial } from "../model/endpoint.ts";
import { isRecord } from "../model/json.ts";
import type { App } from "../store/app.ts";
import type { Exchange } from "../store/requests.ts";
import type { Session } from "../store/session.ts";
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
    note: { state: true },
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
      .method.delete { color: var(--bad); background: var(--bad-soft); }
      .about { display: flex; flex-wrap: wrap; gap: 4px 10px; font-size: 13px; color: var(--text-2); }
      .test { grid-row: 1 / span 2; grid-column: 2; letter-spacing: 0.04em; }
      details { margin-top: 8px; }
      summary { width: fit-content; font-size: 13px; color: var(--text-2); padding: 2px 4px; margin-left: -4px; }
      textarea { margin-top: 6px; min-height: 108px; font: 13px / 1.5 var(--mono); resize: vertical; border-color: var(--line-strong); background: var(--surface); }
      .below { scroll-margin-block: 84px 16px; }
      .note { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; margin-top: 8px; }
      /* Beside the endpoints the terminal shows the same. */
      @media (min-width: 1000px) { quartet-endpoint-answer { display: none; } }
      .wrong { margin-top: 4px; font-size: 13px; color: var(--bad); }
    `,
  ];

  declare endpoint: Endpoint;
  /** The body as someone has changed it. */
  declare edited: string | undefined;
  declare last: Exchange | undefined;
  declare busy: boolean;
  /** What the last answer has changed for the page. */
  declare note: string | undefined;

  constructor() {
    super();
    this.busy = false;
  }

  protected override watched(app: App) {
    return [app.known.version, app.sessions.session];
  }

  override render() {
    const { endpoint, last } = this;
    const path = endpoint.path(this.app.known);
    const status = last?.answer?.status;
    return html`
      <div class="row" data-endpoint=${endpoint.id}>
        <div class="route"><span class="method ${endpoint.method.toLowerCase()}">${endpoint.method}</span><span class="path mono">${path}</span></div>
        <div class="about"><span>${endpoint.title}</span>${endpoint.access === "public" ? nothing : html`<span>(${endpoint.access})</span>`}
          ${endpoint.onTrial ? html`<span>(on an account made for it)</span>` : nothing}
          ${last === undefined ? nothing : html`<span class="chip ${status !== undefined && status < 400 ? "good" : "bad"}">${status ?? "no answer"}</span>`}</div>
        <button class="small test" aria-disabled=${this.busy} aria-label="Test ${endpoint.method} ${path}" @click=${this.test}>TEST</button>
      </div>
      ${endpoint.body === undefined ? nothing : this.#renderBody()}
      ${last === undefined ? nothing : html`<div class="below">${this.#renderNote(last)}<quartet-endpoint-answer .exchange=${last}></quartet-endpoint-answer></div>`}
    `;
  }

  /** What has come of who is signed in, or what stands in the way. */
  #renderNote({ answer, request }: Exchange) {
    const { sessions, info } = this.app;
    if (this.note !== undefined) return html`<p class="note small muted" role="status">${this.note}</p>`;
    if (this.endpoint.access !== "admin" || (answer?.status !== 401 && answer?.status !== 403)) return nothing;
    if (info.get()?.oneClick !== true) return html`<p class="note small muted">This needs an admin.</p>`;
    return html`<p class="note small muted">This needs an admin${request.as === undefined ? "" : `, and ${request.as} is none`}.
      <button class="small" @click=${() => void sessions.signInWithOneClick()}>Sign in as the demo admin</button></p>`;
  }

  #renderBody() {
    return html`<details>
      <summary>Body</summary>
      <textarea aria-label="Body of ${this.endpoint.method} ${this.endpoint.path(this.app.known)}" spellcheck="false" autocomplete="off"
        .value=${this.#body} @input=${this.#edit}></textarea>
      <p class="wrong" role="status">${isJson(this.#body) ? "" : "This is not valid JSON; it is sent as it stands."}</p>
    </details>`;
  }

  /** Sends the request and shows what came of it: below the button, on the stage where it failed, and in who is signed in. */
  async test(): Promise<void> {
    const before = this.app.sessions.session.get();
    const done = await this.send(before);
    if (done === undefined) return;
    this.note = this.#signIn(done, before);
    await this.updateComplete;
    this.renderRoot.querySelector(".below")?.scrollIntoView({ block: "nearest" });
    await this.app.runs.explain(done);
  }

  /**
   * Sends the request as it stands here. A default body is made anew each time, so that it can be sent again.
   * @returns undefined where one is on its way already
   */
  async send(as: Session | undefined): Promise<Exchange | undefined> {
    const { endpoint } = this;
    if (this.busy) return undefined;
    this.busy = true;
    const done = endpoint.onTrial && this.edited === undefined ? await this.#sendOnTrial() : await this.#sendAs(as);
    this.last = done;
    this.note = undefined;
    this.#default = undefined;
    this.busy = false;
    return done;
  }

  #sendAs(as: Session | undefined): Promise<Exchange> {
    const { endpoint, app } = this;
    const body = endpoint.body === undefined ? undefined : this.#body;
    return app.requests.send(endpoint.method, endpoint.path(app.known), body, as);
  }

  /** @returns what became of the registration where that failed */
  async #sendOnTrial(): Promise<Exchange> {
    const { endpoint, app } = this;
    const user = newUser(app.known.unique());
    const made = await app.requests.send("POST", "/users/register", user);
    const body = made.answer?.json;
    const as = app.sessions.meet(body);
    if (as === undefined || !isRecord(body)) return made;
    const trial: Trial = { password: user.password, refreshToken: String(body.refresh_token) };
    return app.requests.send(endpoint.method, endpoint.path(app.known), endpoint.body?.(app.known, trial), as);
  }

  /** Who logs in is signed in from then on. So is who registers, unless an admin did it: one creates accounts and goes on. */
  #signIn({ answer }: Exchange, before: Session | undefined): string | undefined {
    const { id } = this.endpoint;
    if (answer === undefined || answer.status >= 400 || (id !== "register" && id !== "login")) return undefined;
    if (id === "register" && before?.role === "admin") return `Created. You are still ${before.name}.`;
    const session = this.app.sessions.adopt(answer.json);
    return session && `You are ${session.name} now, ${session.role}.`;
  }

  #default: string | undefined;
  #madeFor: string | undefined;

  get #body(): string {
    if (this.edited !== undefined) return this.edited;
    const { productId, orderId } = this.app.known;
    const madeFor = `${productId} ${orderId}`;
    if (this.#default === undefined || this.#madeFor !== madeFor) {
      this.#default = JSON.stringify(this.endpoint.body?.(this.app.known, TRIAL_TO_COME), null, 2);
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
