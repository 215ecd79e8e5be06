import { css, html, LitElement } from "lit";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import type { FlowSection } from "./flow-section.ts";

/** What the gateway serves beside this page. */
const DOCUMENTS = [
  ["/docs", "API reference"],
  ["/openapi.json", "OpenAPI document"],
  ["/asyncapi.json", "AsyncAPI document"],
  ["/problems", "Problem types"],
  ["/metrics", "Metrics"],
  ["/status", "Status"],
  ["/.well-known/jwks.json", "Public keys"],
] as const;

/** The whole page. */
export class Console extends LitElement {
  static override properties = { app: { attribute: false } };
  static override styles = [
    base,
    css`
      .top { position: sticky; top: 0; z-index: 2; background: color-mix(in oklab, var(--page), transparent 8%); border-bottom: 1px solid var(--line); backdrop-filter: blur(10px); }
      .wide { width: min(1760px, 100%); margin-inline: auto; padding-inline: clamp(14px, 3vw, 40px); }
      main { display: grid; grid-template-columns: minmax(0, 1fr); gap: clamp(56px, 7vw, 88px); padding-block: clamp(20px, 2.4vw, 36px) 72px; }
      .skip { position: absolute; left: 12px; top: -60px; z-index: 3; background: var(--accent); color: var(--on-accent); }
      .skip:focus { top: 12px; }
      footer { padding-block: 24px 40px; border-top: 1px solid var(--line); color: var(--text-2); font-size: 13.5px; }
      footer nav { display: flex; flex-wrap: wrap; gap: 6px 24px; }
      @media (max-width: 900px) { .top { position: static; } }
    `,
  ];

  declare app: App;

  override render() {
    const { app } = this;
    return html`
      <header class="top"><button class="skip" @click=${this.#skip}>Skip to the flow</button><div class="wide"><quartet-page-header .app=${app}></quartet-page-header></div></header>
      <main class="wide" @show-flow=${this.#showFlow}>
        <section aria-label="Architecture — Real-Time Flow"><quartet-flow-section id="flow" .app=${app}></quartet-flow-section></section>
        <section aria-label="The last 60 seconds"><quartet-pulse-section .app=${app}></quartet-pulse-section></section>
        <section aria-label="Docker"><quartet-docker-cards .app=${app}></quartet-docker-cards></section>
        <section aria-label="Live API Tester">
          <quartet-api-tester .app=${app}></quartet-api-tester>
        </section>
        <section aria-label="Events"><quartet-events-section .app=${app}></quartet-events-section></section>
      </main>
      <footer><nav class="wide" aria-label="Documents"><span>Quartet</span>${DOCUMENTS.map(([path, name]) => html`<a href=${path}>${name}</a>`)}</nav></footer>
    `;
  }

  #skip(): void {
    this.#showFlow();
    this.renderRoot.querySelector<FlowSection>("#flow")?.focusTabs();
  }

  #showFlow(): void {
    this.renderRoot.querySelector("#flow")?.scrollIntoView({ block: "start" });
  }
}

customElements.define("quartet-console", Console);
