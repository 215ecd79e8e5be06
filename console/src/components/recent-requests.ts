import { css, html, nothing } from "lit";
import type { Flow } from "../model/flow.ts";
import { formatMs, formatTime } from "../model/format.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

const MOST_SHOWN = 30;

/** Every request of late, also those that others made, each to be replayed. */
export class RecentRequests extends View {
  static override styles = [
    base,
    css`
      header { display: flex; align-items: baseline; justify-content: space-between; flex-wrap: wrap; gap: 4px 16px; padding: 16px 20px 10px; }
      ol { max-height: 268px; overflow-y: auto; scrollbar-width: thin; padding: 0 8px 8px; }
      button {
        display: grid; grid-template-columns: 86px 44px minmax(0, 1fr) auto 72px 72px 16px; align-items: center; gap: 12px;
        width: 100%; min-height: 38px; padding: 6px 12px; border: 0; background: transparent; font-weight: 400; text-align: start; justify-content: stretch;
      }
      .path { overflow: hidden; text-overflow: ellipsis; }
      .took { text-align: end; color: var(--text-2); }
      .when, .source { color: var(--text-2); font-size: 13px; }
      .shown { background: var(--accent-soft); }
      .empty { padding: 4px 20px 20px; color: var(--text-2); }
      svg { color: var(--text-2); }
      @media (max-width: 640px) {
        button { grid-template-columns: 38px minmax(0, 1fr) auto auto; gap: 8px; padding: 6px 8px; }
        .when, .source, svg { display: none; }
        .path { white-space: normal; overflow-wrap: anywhere; line-height: 1.3; }
      }
    `,
  ];

  protected override watched(app: App) {
    return [app.traces, app.stages.current, app.stream.state, app.dropped];
  }

  override render() {
    const flows = this.app.traces.recent().slice(0, MOST_SHOWN);
    const dropped = this.app.dropped.get();
    return html`<section class="card" aria-labelledby="recent-title">
      <header>
        <h3 id="recent-title">Recent requests</h3>
        <span class="small muted">${dropped > 0 ? `${dropped} spans were lost on their way` : "Also those made by curl or another tool"}</span>
      </header>
      ${
        flows.length === 0
          ? html`<p class="empty">None yet. Run a flow above, or send a request from a shell.</p>`
          : html`<ol>${flows.map((flow) => html`<li>${this.#renderRow(flow)}</li>`)}</ol>`
      }
    </section>`;
  }

  #renderRow(flow: Flow) {
    const [method = "", path = ""] = flow.title.split(" ");
    const shown = this.app.stages.top().flow() === flow;
    return html`<button class=${shown ? "shown" : ""} data-trace=${flow.traceId} @click=${() => this.#replay(flow)}>
      <span class="when tabular">${formatTime(flow.startedAtMs)}</span>
      <span class="mono">${method}</span>
      <span class="path mono">${path}</span>
      <span class="chip ${flow.failed ? "bad" : "good"}">${isProud(flow) ? icons.shield : nothing}${flow.status}${flow.outcome === undefined ? "" : ` ${flow.outcome}`}</span>
      <span class="took tabular">${formatMs(flow.answeredInMs ?? 0)}</span>
      <span class="source">${this.app.requests.isOwn(flow.traceId) ? "this page" : "elsewhere"}</span>
      ${icons.restart}<span class="visually-hidden">Replay</span>
    </button>`;
  }

  #replay(flow: Flow): void {
    this.app.stages.show(flow);
    this.dispatchEvent(new CustomEvent("replay"));
  }
}

/** Not enough was left, and the shop said so. */
function isProud({ outcome }: Flow): boolean {
  return outcome === "rejected" || outcome === "refused";
}

customElements.define("quartet-recent-requests", RecentRequests);
