import { css } from "lit";

/** Line and end of the four kinds of arrow, for the diagram and its legend. */
export const arrowStyles = css`
  .http { --kind: var(--http); --kind-soft: var(--accent-soft); }
  .direct { --kind: var(--direct); --kind-soft: var(--direct-soft); }
  .event { --kind: var(--event); --kind-soft: var(--event-soft); }
  .query { --kind: var(--query); --kind-soft: var(--query-soft); }
  .filled { fill: var(--kind); }
  .open { fill: none; stroke: var(--kind); stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
  .ring { fill: var(--surface); stroke: var(--kind); stroke-width: 1.8; }
  .edge { fill: none; stroke: var(--kind); stroke-width: 1.7; }
  .edge.direct { stroke-dasharray: 12 3.5 2 3.5; }
  .edge.event { stroke-dasharray: 7 5; }
  .edge.query { stroke-dasharray: 0.1 5; stroke-linecap: round; stroke-width: 2.4; }
`;

export const diagramStyles = css`
  svg { display: block; width: 100%; height: auto; overflow: visible; }
  text { font-family: var(--sans); fill: var(--text); text-anchor: middle; }

  .frame .outline rect { fill: var(--line-strong); stroke: var(--line-strong); stroke-width: 2.5; }
  .frame .inside rect { fill: var(--surface-2); }
  .frame-label { text-anchor: start; font: 500 11px var(--mono); fill: var(--text-2); stroke: var(--surface-2); stroke-width: 4; paint-order: stroke; }
  .narrow .frame-label { font-size: 9.5px; }

  .edge { transition: opacity 0.25s, stroke-width 0.25s; }
  .edge.idle { opacity: 0.4; }
  .edge.active { stroke-width: 3; }
  .edge.query.active { stroke-width: 3.8; }

  .place rect { fill: var(--raised); stroke: var(--line-strong); stroke-width: 1.2; transition: stroke 0.2s; }
  .place .name { font-weight: 650; font-size: 16px; letter-spacing: -0.01em; }
  .place .detail { font: 500 13px var(--mono); fill: var(--text-2); }
  .place.lit rect { stroke: var(--accent); stroke-width: 2.6; fill: var(--accent-soft); }
  .place.down rect, .place.unknown rect { stroke-dasharray: 5 4; }
  .place.down rect { stroke: var(--bad); }
  .place.degraded rect { stroke: var(--warn); }
  .place.down .detail { fill: var(--bad); }
  .alarm circle { fill: var(--bad); }
  .unknown .alarm circle { fill: var(--line-strong); }
  .degraded .alarm circle { fill: var(--warn); }
  .alarm path { fill: none; stroke: var(--surface); stroke-width: 2; stroke-linecap: round; }
  .database path { fill: var(--raised); stroke: var(--line-strong); stroke-width: 1.2; }
  .database .rim { fill: none; }
  .database text { font: 500 12px var(--mono); fill: var(--text-2); }
  .database.lit path { stroke: var(--query); stroke-width: 2.4; }
  .database.lit path:not(.rim) { fill: var(--query-soft); }
  .narrow .place .name { font-size: 13px; }
  .narrow .place .detail { font-size: 11px; }
  .narrow .database text { font-size: 10px; }

  /* Drawn small, the same words need larger letters. */
  @container (max-width: 560px) {
    .wide .place .name { font-size: 18px; }
    .wide .place .detail { font-size: 15.5px; }
    .wide .frame-label { font-size: 14px; }
    .wide .badge text { font-size: 13.5px; }
  }

  .badge rect { fill: var(--surface); stroke: var(--kind); stroke-width: 1.4; }
  .badge text { font: 700 12px var(--sans); fill: var(--kind); font-variant-numeric: tabular-nums; }
  .narrow .badge text { font-size: 9.5px; }
  .badge.active rect { fill: var(--kind); }
  .badge.active text { fill: var(--surface); }
  .badge.failed rect { stroke: var(--bad); }
  .badge.failed text { fill: var(--bad); }
  .badge.failed.active rect { fill: var(--bad); }
  .badge.failed.active text { fill: var(--surface); }

  .edge.broken { stroke: var(--bad); stroke-width: 3; }
  .broken-end { fill: none; stroke: var(--bad); stroke-width: 3; stroke-linecap: round; }
  .place.broken rect { stroke: var(--bad); stroke-width: 2.6; fill: var(--bad-soft); }
  .database.broken path { stroke: var(--bad); stroke-width: 2.4; }
  .database.broken path:not(.rim) { fill: var(--bad-soft); }
  .badge.refused rect { stroke: var(--good); }
  .badge.refused text { fill: var(--good); }
  .badge.refused.active rect { fill: var(--good); }
  .badge.refused.active text { fill: var(--surface); }

  .gate .leaf, .gate .posts { fill: none; stroke: var(--warn); stroke-width: 4; stroke-linecap: round; transition: rotate 0.3s; }
  .gate .posts { stroke-width: 2.5; }
  .gate .leaf { transform-box: fill-box; }
  .gate .left { transform-origin: left; }
  .gate .right { transform-origin: right; }
  .gate.open .left { rotate: -75deg; }
  .gate.open .right { rotate: 75deg; }
  .gate text { text-anchor: start; font: 650 12.5px var(--sans); fill: var(--warn); stroke: var(--surface); stroke-width: 4; paint-order: stroke; font-variant-numeric: tabular-nums; }
  .narrow .gate text { font-size: 10px; }

  .token { fill: var(--kind); stroke: var(--surface); stroke-width: 2.5; }
  .token.event { fill: var(--surface); stroke: var(--kind); stroke-width: 3; }
`;
