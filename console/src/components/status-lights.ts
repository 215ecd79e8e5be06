import { css, html, nothing } from "lit";
import { formatMs } from "../model/format.ts";
import { type Light, listens, type ModuleStatus, type ReplicaStatus, type Status } from "../model/topology.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

const ICONS: Readonly<Record<Light, unknown>> = {
  running: html`<span class="bulb"></span>`,
  degraded: icons.warning,
  down: icons.cross,
  unknown: icons.question,
};

/** A light for each service: port, word, latency, and the reason when it is not running. */
export class StatusLights extends View {
  static override styles = [
    base,
    css`
      ul { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 136px), 1fr)); }
      li { padding: 14px 16px; }
      .name { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 8px; font: 650 13px / 1.5 var(--sans); letter-spacing: 0.04em; }
      .name .inside { color: var(--text-2); font-weight: 400; letter-spacing: 0; }
      .name .mono { color: var(--text-2); font-weight: 500; letter-spacing: 0; }
      .state { display: flex; flex-wrap: wrap; align-items: center; gap: 0 8px; margin-top: 6px; font-weight: 600; }
      .state .latency { margin-inline-start: auto; white-space: nowrap; font-weight: 400; font-size: 13px; color: var(--text-2); }
      .bulb { flex: none; width: 10px; height: 10px; margin: 3px; border-radius: 50%; background: var(--good); box-shadow: 0 0 0 4px color-mix(in oklab, var(--good), transparent 82%); }
      .running .state { color: var(--good); }
      .degraded .state { color: var(--warn); }
      .down .state { color: var(--bad); }
      .unknown .state { color: var(--text-2); }
      .down { border-color: var(--bad); }
      .replicas { gap: 2px; grid-template-columns: 1fr; margin-top: 6px; }
      .replicas li { padding: 0; font-size: 13px; }
      .replicas .state { margin: 0; font-weight: 400; }
      .replicas .running .state { color: var(--good); }
      .replicas .degraded .state { color: var(--warn); }
      .replicas .down .state { color: var(--bad); }
      .replicas .mono { color: var(--text); }
      .reason { margin-top: 4px; font-size: 13px; color: var(--text-2); overflow-wrap: anywhere; }
    `,
  ];

  protected override watched(app: App) {
    return [app.status, app.latencies];
  }

  override render() {
    const status = this.app.status.get();
    const modules = status?.modules ?? [];
    return html`
      <ul aria-label="Services">${status === undefined ? nothing : modules.map((module) => this.#renderLight(module, status))}</ul>
      <p class="visually-hidden" role="status">${summarize(modules)}</p>
    `;
  }

  /** The gateway measures the others; how long it takes itself, only the page can tell. What it calls directly has no way to be measured. */
  #latencyOf({ name, placement }: ModuleStatus): string {
    if (name !== "gateway" && placement === "in-process") return "direct call";
    const ms = this.app.latencies.get()[name];
    return ms === undefined ? "" : formatMs(ms);
  }

  #renderLight(module: ModuleStatus, whole: Status) {
    const { name, port, status, detail, replicas } = module;
    return html`<li class="card ${status}" data-service=${name}>
      <p class="name"><span>${name.toUpperCase()}</span> ${listens(whole, name) ? html`<span class="mono">:${port}</span>` : html`<span class="inside">same process</span>`}</p>
      <p class="state">${ICONS[status]}<span>${status}</span>${status === "running" ? html`<span class="latency tabular">${this.#latencyOf(module)}</span>` : nothing}</p>
      ${replicas === undefined ? renderReason(detail) : renderReplicas(replicas)}
    </li>`;
  }
}

function renderReason(detail: string | null) {
  return detail === null ? nothing : html`<p class="reason">${detail}</p>`;
}

/** Each with its own light and reason; the service has none beside them. */
function renderReplicas(replicas: readonly ReplicaStatus[]) {
  return html`<ul class="replicas">${replicas.map(
    ({ address, status, detail }) => html`<li class=${status}>
      <span class="state">${ICONS[status]}<span class="mono">${address.replace("http://", "")}</span></span>
      ${status === "running" ? nothing : html`<span class="reason">${detail ?? status}</span>`}
    </li>`,
  )}</ul>`;
}

/** Spoken when it changes, so it holds no figure that always does. */
function summarize(modules: readonly ModuleStatus[]): string {
  const troubled = modules.filter(({ status }) => status !== "running");
  if (modules.length === 0) return "";
  return troubled.length === 0
    ? "All services are running."
    : troubled.map(({ name, status }) => `${name} is ${status}.`).join(" ");
}

customElements.define("quartet-status-lights", StatusLights);
