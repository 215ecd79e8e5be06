import { css, html, nothing } from "lit";
import { formatUptime } from "../model/format.ts";
import { describeGroups, groupByProcess } from "../model/topology.ts";
import type { App } from "../store/app.ts";
import type { LinkState } from "../store/stream.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

const LINK_WORDS: Readonly<Record<LinkState, string>> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  paused: "Paused",
  denied: "Not watching",
};

/** The time that the gateway is up is told in minutes: a second hand is nothing to wake a browser for. */
const UPTIME_EVERY_MS = 30_000;

/** What this is and how it runs right now. */
export class PageHeader extends View {
  static override styles = [
    base,
    css`
      .row { display: flex; align-items: center; flex-wrap: wrap; gap: 10px 14px; min-height: 68px; padding-block: 12px; }
      .brand { display: flex; align-items: center; gap: 11px; margin-inline-end: 8px; }
      .brand img { display: block; }
      h1 { margin: 0; font-size: 19px; font-weight: 700; letter-spacing: -0.02em; }
      dl { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 13.5px; }
      dl div { display: flex; gap: 6px; white-space: nowrap; }
      dt { color: var(--text-2); }
      dd { font-weight: 600; }
      .actions { display: flex; align-items: center; gap: 8px; margin-inline-start: auto; }
      .link { border-radius: 999px; }
      .dot { width: 9px; height: 9px; border-radius: 50%; background: var(--line-strong); }
      .live .dot { background: var(--good); box-shadow: 0 0 0 3px color-mix(in oklab, var(--good), transparent 80%); }
      .reconnecting .dot { background: none; border: 2px solid var(--warn); border-top-color: transparent; }
      .paused .dot { border-radius: 2px; background: var(--warn); }
      .notice { order: 4; flex-basis: 100%; padding: 8px 12px; border-radius: 10px; background: var(--warn-soft); color: var(--warn); font-size: 14px; }
      .notice:empty { display: none; }
      .facts { flex: 1 1 auto; }
      @media (min-width: 901px) and (max-width: 1150px) { dl .up { display: none; } }
      @media (max-width: 900px) { .facts { order: 3; flex-basis: 100%; } }
      @media (max-width: 420px) { .brand h1 { position: absolute; clip-path: inset(50%); } .actions { gap: 6px; } .link { padding: 0 11px; } }
    `,
  ];

  #clock: ReturnType<typeof setInterval> | undefined;

  protected override watched(app: App) {
    return [app.info, app.status, app.processes, app.stream.state, app.sessions.notice];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#clock = setInterval(() => this.requestUpdate(), UPTIME_EVERY_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.#clock);
  }

  override render() {
    const link = this.app.stream.state.get();
    return html`<div class="row">
      <div class="brand"><img src="/favicon.svg" width="30" height="30" alt="" /><h1>Quartet</h1></div>
      <dl class="facts tabular">${this.#renderFacts()}</dl>
      <div class="actions">
        <button class="link ${link}" aria-label="${LINK_WORDS[link]}: ${link === "paused" ? "resume" : "pause"} the stream"
          title=${link === "paused" ? "Resume the stream" : "Pause the stream"} aria-disabled=${link === "denied"} @click=${this.#toggleLink}>
          <span class="dot"></span>${LINK_WORDS[link]}
        </button>
        <quartet-theme-toggle></quartet-theme-toggle>
        <quartet-account .app=${this.app}></quartet-account>
      </div>
      <p class="notice" role="status">${this.app.sessions.notice.get() ?? ""}</p>
      <span class="visually-hidden" role="status">${LINK_WORDS[link]}</span>
    </div>`;
  }

  #renderFacts() {
    const info = this.app.info.get();
    const status = this.app.status.get();
    const bus = status?.bus;
    const isUp = status?.modules.some(({ name, status }) => name === "gateway" && status === "running") === true;
    const facts: [string, string | undefined][] = [
      ["Runs as", status && describeGroups(groupByProcess(status, this.app.processes.get()))],
      [
        "Bus",
        bus && (bus.kind === "redis" ? "Redis" : "in memory") + (bus.status === "running" ? "" : `, ${bus.status}`),
      ],
      ["Version", info?.version],
      ["Up", info !== undefined && isUp ? formatUptime((Date.now() - info.startedAtMs) / 1_000) : undefined],
    ];
    return facts.map(([name, value]) =>
      value === undefined
        ? nothing
        : html`<div class=${name.toLowerCase().replace(" ", "-")}><dt>${name}</dt><dd>${value}</dd></div>`,
    );
  }

  #toggleLink(): void {
    const { stream } = this.app;
    if (stream.state.get() === "denied") return;
    if (stream.state.get() === "paused") stream.open();
    else stream.pause();
  }
}

customElements.define("quartet-page-header", PageHeader);
