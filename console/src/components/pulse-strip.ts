import { css, html, nothing, svg } from "lit";
import { formatMs } from "../model/format.ts";
import { moduleNames, placeName } from "../model/places.ts";
import { describePulses, eventsOf, type Pulse, SHOWN_SECONDS, waitingOf } from "../model/pulse.ts";
import { areaPath, bandPath, barsPath, linePath, roundUp } from "../model/strip.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

/** The last 60 seconds of the shop: what it answered and failed, how fast, what waits, and what is where. */
export class PulseStrip extends View {
  static override properties = { ...View.properties, withPage: { attribute: false } };
  static override styles = [
    base,
    css`
      .rows { display: grid; grid-template-columns: minmax(148px, 0.46fr) minmax(0, 1fr); gap: 0 20px; }
      .row { display: grid; grid-template-columns: subgrid; grid-column: 1 / -1; align-items: center; padding: 12px 0; border-top: 1px solid var(--line); }
      .row:first-child { border-top: 0; padding-top: 0; }
      dt { font-size: 13px; color: var(--text-2); }
      dd { font-size: 14px; }
      .main { font-weight: 600; }
      .main span { white-space: nowrap; }
      .failed { color: var(--bad); }
      .plot { position: relative; min-width: 0; padding-top: 14px; }
      .scale { position: absolute; top: 0; inset-inline-end: 0; font-size: 11.5px; line-height: 1; color: var(--text-2); }
      svg { display: block; width: 100%; height: 52px; overflow: visible; }
      path { vector-effect: non-scaling-stroke; }
      .base { stroke: var(--line); fill: none; }
      .answered-bars { fill: var(--accent); }
      .failed-bars { fill: var(--bad); }
      .p50, .p99, .waits, .held { fill: none; stroke-width: 1.6; stroke-linejoin: round; stroke-linecap: round; }
      .p50 { stroke: var(--query); }
      .p99 { stroke: var(--query); stroke-dasharray: 2 4; }
      .area { fill: var(--event-soft); }
      .waits { stroke: var(--event); }
      .held { stroke: var(--event); stroke-dasharray: 5 4; }
      /* Room for the longest text: what is below stays where it is. */
      @media (min-width: 641px) { .row { min-height: 92px; } }
      .place { min-height: 0; padding: 4px 0; border: 0; }
      .row:not(.place) + .place { margin-top: -1px; padding-top: 12px; border-top: 1px solid var(--line); }
      .place svg { height: 6px; }
      .place dl { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 10px; }
      .place dd { font-size: 13px; }
      .here { fill: var(--line-strong); opacity: 0.4; }
      .there { fill: var(--direct); opacity: 0.6; }
      .gone { fill: var(--bad-soft); stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 3 3; }
      .axis { display: flex; justify-content: space-between; grid-column: 2; font-size: 12px; color: var(--text-2); }
      .stale svg { opacity: 0.45; }
      .key { display: inline-block; width: 18px; height: 0; margin-inline-end: 5px; vertical-align: 4px; border-top: 2px solid var(--query); }
      .key.dotted { border-top-style: dotted; }
      .key.event { border-color: var(--event); }
      .key.event.dashed { border-top-style: dashed; }
      .empty { padding-block: 6px; }
      @media (max-width: 640px) {
        .rows { grid-template-columns: minmax(0, 1fr); }
        .row { gap: 8px; }
        .axis { grid-column: 1; }
      }
    `,
  ];

  /** Whether orders can wait in this page. */
  declare withPage: boolean;

  protected override watched(app: App) {
    return [app.pulses.recent, app.stream.state];
  }

  override render() {
    const pulses = this.app.pulses.recent.get();
    const link = this.app.stream.state.get();
    const latest = pulses.at(-1);
    if (latest === undefined)
      return html`<p class="muted empty">${link === "denied" ? "Only an admin may watch this: sign in as one." : "The first second is being measured."}</p>`;
    return html`
      <div class="rows ${link === "live" ? "" : "stale"}">
        ${renderRequests(pulses, latest)} ${renderLatency(pulses)} ${renderWaiting(pulses, latest, this.withPage)} ${renderPlaces(pulses, latest)}
        <p class="axis" aria-hidden="true"><span>${SHOWN_SECONDS} s ago</span><span>${link === "live" ? "now" : "when the stream ended"}</span></p>
      </div>
      <p class="visually-hidden" role="status">${describePulses(pulses)}</p>
    `;
  }
}

function renderRequests(pulses: readonly Pulse[], latest: Pulse) {
  const sum = (count: (pulse: Pulse) => number): number => pulses.reduce((total, pulse) => total + count(pulse), 0);
  const answered = sum((pulse) => pulse.answered);
  const failed = sum((pulse) => pulse.failed);
  const most = (count: (pulse: Pulse) => number): number => Math.max(0, ...pulses.map(count));
  const up = roundUp(
    most((pulse) => pulse.answered),
    5,
  );
  const down = most((pulse) => pulse.failed);
  const whole = up + down;
  return html`<div class="row">
    <dl>
      <dt>Requests a second</dt>
      <dd class="main tabular"><span>${latest.answered} answered,</span> <span class=${latest.failed > 0 ? "failed" : ""}>${latest.failed} failed</span></dd>
      <dd class="small muted tabular">${answered} in a minute, <span class=${failed > 0 ? "failed" : ""}>${failed} failed</span></dd>
    </dl>
    ${renderPlot(
      `${up} a second`,
      svg`
      <path class="answered-bars" d=${barsPath(pulses, up / whole, (pulse) => pulse.answered / whole)} />
      <path class="failed-bars" d=${barsPath(pulses, up / whole, (pulse) => -pulse.failed / whole)} />
      <path class="base" d="M0 ${up / whole}H${SHOWN_SECONDS}" />`,
    )}
  </div>`;
}

const FIGURES: readonly (readonly [name: string, style: string, read: (pulse: Pulse) => number | null])[] = [
  ["p50", "", ({ p50Ms }) => p50Ms],
  ["p99", "dotted", ({ p99Ms }) => p99Ms],
];

function renderLatency(pulses: readonly Pulse[]) {
  const last = pulses.findLast(({ p50Ms }) => p50Ms !== null);
  const top = roundUp(Math.max(0, ...pulses.map(({ p99Ms }) => p99Ms ?? 0)), 10);
  const share = (ms: number | null): number | null => (ms === null ? null : ms / top);
  return html`<div class="row">
    <dl>
      <dt>How long they took</dt>
      ${FIGURES.map(([name, style, read]) => html`<dd class="main tabular"><i class="key ${style}"></i>${name} ${last === undefined ? html`<span class="muted">–</span>` : formatMs(read(last) ?? 0)}</dd>`)}
    </dl>
    ${renderPlot(
      `${top >= 1_000 ? `${top / 1_000} s` : `${top} ms`}`,
      svg`
      <path class="base" d="M0 1H${SHOWN_SECONDS}" />
      <path class="p99" d=${linePath(pulses, ({ p99Ms }) => share(p99Ms))} />
      <path class="p50" d=${linePath(pulses, ({ p50Ms }) => share(p50Ms))} />`,
    )}
  </div>`;
}

/** @param withPage whether orders can wait in this page */
function renderWaiting(pulses: readonly Pulse[], latest: Pulse, withPage: boolean) {
  const top = roundUp(Math.max(0, ...pulses.map(waitingOf)), 10);
  const events = (pulse: Pulse): number => eventsOf(pulse) / top;
  const waiting = Object.entries(latest.backlog).map(([module, count]) => `${module} ${count}`);
  return html`<div class="row">
    <dl>
      <dt>What waits</dt>
      <dd class="main tabular"><i class="key event"></i>Events: ${waiting.join(", ") || "not known"}</dd>
      ${withPage ? html`<dd class="main tabular"><i class="key event dashed"></i>Orders in this page: ${latest.held}</dd>` : nothing}
    </dl>
    ${renderPlot(
      String(top),
      svg`
      <path class="area" d=${areaPath(pulses, events)} />
      <path class="base" d="M0 1H${SHOWN_SECONDS}" />
      <path class="waits" d=${linePath(pulses, events)} />
      ${withPage ? svg`<path class="held" d=${linePath(pulses, ({ held }) => held / top)} />` : nothing}`,
    )}
  </div>`;
}

/** A line for each module: where it is, and since when, and when it did not answer. */
function renderPlaces(pulses: readonly Pulse[], { placement, down }: Pulse) {
  const modules = moduleNames.filter((name) => placement[name] !== undefined);
  return modules.map((name) => {
    const isDown = (pulse: Pulse): boolean => pulse.down.includes(name);
    const isAt = (wanted: (place: string) => boolean) => (pulse: Pulse) => {
      const place = pulse.placement[name];
      return place !== undefined && wanted(place) && !isDown(pulse);
    };
    const place = placement[name] === "here" ? "with the gateway" : placement[name]?.replaceAll("http://", "");
    return html`<div class="row place">
      <dl><dt>${placeName(name)}</dt> ${down.includes(name) ? html`<dd class="failed">does not answer</dd>` : html`<dd>${place}</dd>`}</dl>
      <svg aria-hidden="true" viewBox="0 0 ${SHOWN_SECONDS} 1" preserveAspectRatio="none">
        <path class="here" d=${bandPath(pulses, isAt(isHere))} />
        <path class="there" d=${bandPath(
          pulses,
          isAt((at) => !isHere(at)),
        )} />
        <path class="gone" d=${bandPath(pulses, isDown)} />
      </svg>
    </div>`;
  });
}

const isHere = (place: string): boolean => place === "here";

/** A drawing of what the text beside it says. */
function renderPlot(scale: string, content: unknown) {
  return html`<div class="plot" aria-hidden="true">
    <span class="scale tabular">${scale}</span>
    <svg viewBox="0 0 ${SHOWN_SECONDS} 1" preserveAspectRatio="none">${content}</svg>
  </div>`;
}

customElements.define("quartet-pulse-strip", PulseStrip);
