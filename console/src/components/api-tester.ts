import { css, html, nothing } from "lit";
import { firstEndpoints, furtherEndpoints } from "../model/derived-endpoints.ts";
import type { Endpoint } from "../model/endpoint.ts";
import { modules } from "../model/modules.ts";
import { placeName, type ServiceName } from "../model/places.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import type { EndpointRow } from "./endpoint-row.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

const MAIN_GROUPS: readonly ServiceName[] = modules.map(({ name }) => name);
/** Users last: signing in there changes who asks. */
const MORE_GROUPS: readonly ServiceName[] = [...MAIN_GROUPS.filter((name) => name !== "users"), "gateway", "users"];

/** Try every endpoint for real. */
export class ApiTester extends View {
  static override properties = { ...View.properties, runningAll: { state: true } };
  static override styles = [
    base,
    css`
      header { display: flex; flex-wrap: wrap; align-items: end; justify-content: space-between; gap: 14px 32px; margin-bottom: 20px; }
      .who { display: flex; flex-wrap: wrap; align-items: center; gap: 10px; }
      .desk { display: grid; gap: 16px; margin-top: 16px; grid-template-columns: minmax(0, 1fr); align-items: start; }
      .groups { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 285px), 1fr)); align-items: start; }
      /* The answer stands beside the button that asked for it. */
      @media (min-width: 1000px) {
        .desk { grid-template-columns: minmax(0, 1fr) minmax(0, 1.1fr); }
        quartet-response-terminal { position: sticky; top: 84px; }
      }
      @media (min-width: 1500px) { .desk { grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); } }
      .group { padding: 16px; }
      .group h3 { padding: 0 4px 8px; }
      details.more { margin-top: 18px; }
      details.more > summary { width: fit-content; padding: 8px 10px; margin-left: -10px; font-weight: 600; color: var(--accent); }
      .more .groups { margin-top: 8px; }
    `,
  ];

  declare runningAll: boolean;

  constructor() {
    super();
    this.runningAll = false;
  }

  protected override watched(app: App) {
    return [app.sessions.session, app.info];
  }

  override render() {
    return html`
      <header>
        <div>
          <h2 id="tester-title">Live API Tester</h2>
          <p class="lead">Each button sends the real request and shows the real answer. All of it is written down: <a href="/docs">the API, to read and to try</a>, <a href="/problems">every problem by its name</a>.</p>
        </div>
        <div class="who">
          ${this.#renderWho()}
          <button class="run-all" title="All but what is tried on an account made for it" aria-disabled=${this.runningAll} @click=${this.#runAll}>${icons.list} ${this.runningAll ? "Running…" : "Run all"}</button>
        </div>
      </header>
      <quartet-status-lights .app=${this.app}></quartet-status-lights>
      <div class="desk">
        <div>
          <div class="groups">${MAIN_GROUPS.map((service) => this.#renderGroup(service, firstEndpoints))}</div>
          <details class="more">
            <summary>More endpoints</summary>
            <div class="groups">${MORE_GROUPS.map((service) => this.#renderGroup(service, furtherEndpoints))}</div>
          </details>
        </div>
        <quartet-response-terminal .app=${this.app}></quartet-response-terminal>
      </div>
    `;
  }

  #renderWho() {
    const session = this.app.sessions.session.get();
    if (session !== undefined)
      return html`<span tabindex="-1" class="chip who-name ${session.role === "admin" ? "accent" : ""}">${session.name}, ${session.role}</span>`;
    if (this.app.info.get()?.oneClick !== true) return html`<span class="chip">not signed in</span>`;
    return html`<button class="demo-admin" @click=${this.#signIn}>${icons.person} Sign in as the demo admin</button>`;
  }

  #renderGroup(service: ServiceName, among: readonly Endpoint[]) {
    const own = among.filter((endpoint) => endpoint.service === service);
    if (own.length === 0) return nothing;
    const title = service === "gateway" ? placeName(service) : `${placeName(service).replace(/s$/, "")} Service`;
    return html`<section class="card group" aria-label=${among === firstEndpoints ? title : `${title}, more`}>
      <h3>${title}</h3>
      ${own.map((endpoint) => html`<quartet-endpoint .app=${this.app} .endpoint=${endpoint}></quartet-endpoint>`)}
    </section>`;
  }

  /** The button gives way to the name, and so does its focus, unless that has gone elsewhere meanwhile. */
  async #signIn(): Promise<void> {
    await this.app.sessions.signInWithOneClick();
    await this.updateComplete;
    if (document.activeElement === document.body) this.renderRoot.querySelector<HTMLElement>(".who-name")?.focus();
  }

  /**
   * One after the other, for what one makes the next may need. Not what takes an account of its own: there are only so many
   * registrations a minute, and twice in a row is to work as well.
   */
  async #runAll(): Promise<void> {
    if (this.runningAll) return;
    this.runningAll = true;
    const { sessions, oneClick } = this.app;
    if (sessions.session.get() === undefined && (await oneClick())) await sessions.signInWithOneClick();
    // All in one name: an admin's where there is one, for some endpoints need that.
    const as = sessions.admin.get() ?? sessions.session.get();
    for (const row of this.renderRoot.querySelectorAll<EndpointRow>("quartet-endpoint"))
      if (row.endpoint.onTrial !== true) await row.send(as);
    this.runningAll = false;
  }
}

customElements.define("quartet-api-tester", ApiTester);
