import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

/** A drawing of 16 by 16 that says the same as the text beside it. */
function icon(content: SVGTemplateResult): TemplateResult {
  return html`<svg width="16" height="16" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.6"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${content}</svg>`;
}

export const icons = {
  play: icon(svg`<path d="M5 3.2v9.6l7.6-4.8z" fill="currentColor" />`),
  pause: icon(svg`<path d="M5.2 3.5v9M10.8 3.5v9" stroke-width="2.4" />`),
  back: icon(svg`<path d="M11.5 3.5 6 8l5.5 4.5zM4 3.5v9" />`),
  forward: icon(svg`<path d="M4.5 3.5 10 8l-5.5 4.5zM12 3.5v9" />`),
  restart: icon(svg`<path d="M3 8a5 5 0 1 0 1.6-3.7M3 2.6v2.6h2.6" />`),
  finish: icon(svg`<path d="M3 3.5 7.5 8 3 12.5zM8 3.5 12.5 8 8 12.5zM13.5 3.5v9" />`),
  shield: icon(
    svg`<path d="M8 1.8 13.2 3.6v4c0 3.1-2.1 5.3-5.2 6.6-3.1-1.3-5.2-3.5-5.2-6.6v-4zM5.6 8l1.8 1.8 3.2-3.4" />`,
  ),
  list: icon(svg`<path d="M3 4h1M3 8h1M3 12h1M6.5 4H13M6.5 8H13M6.5 12H13" />`),
  two: icon(svg`<path d="M2.5 5.2h8.2M8.5 2.8l2.6 2.4-2.6 2.4M2.5 11h8.2M8.5 8.6 11.1 11l-2.6 2.4M13.8 3v10" />`),
  outward: icon(svg`<path d="M6.5 3.5H3.5v9h9v-3M9 2.8h4.2V7M13 3 7.5 8.5" />`),
  down: icon(svg`<path d="m4 6.2 4 4 4-4" />`),
  check: icon(svg`<path d="M3.5 8.4 6.6 11.5l6-7" stroke-width="2" />`),
  cross: icon(svg`<path d="m4.5 4.5 7 7m0-7-7 7" stroke-width="2" />`),
  warning: icon(svg`<path d="M8 2.6 14.2 13H1.8zM8 6.6v3M8 11.4v.1" />`),
  question: icon(svg`<path d="M6 6a2 2 0 1 1 2.8 1.9c-.5.3-.8.7-.8 1.4M8 12v.1" />`),
  sun: icon(
    svg`<circle cx="8" cy="8" r="2.8" /><path d="M8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9" />`,
  ),
  moon: icon(svg`<path d="M13.2 9.7A5.6 5.6 0 0 1 6.3 2.8 5.6 5.6 0 1 0 13.2 9.7z" />`),
  system: icon(svg`<rect x="2" y="3" width="12" height="8" rx="1.5" /><path d="M6 13.5h4" />`),
  copy: icon(
    svg`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" /><path d="M10.5 3.5a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1" />`,
  ),
  flow: icon(
    svg`<circle cx="3.5" cy="8" r="1.7" /><circle cx="12.5" cy="4" r="1.7" /><circle cx="12.5" cy="12" r="1.7" /><path d="M5 7.2 11 4.6M5 8.8l6 2.6" />`,
  ),
  person: icon(svg`<circle cx="8" cy="5.4" r="2.6" /><path d="M3 13.5c.6-2.6 2.5-4 5-4s4.4 1.4 5 4" />`),
  container: icon(
    svg`<rect x="2" y="4" width="12" height="8.5" rx="1.5" /><path d="M5.5 6.5v3.5M8 6.5v3.5M10.5 6.5v3.5" />`,
  ),
  network: icon(
    svg`<circle cx="8" cy="3.2" r="1.6" /><circle cx="3.4" cy="12.4" r="1.6" /><circle cx="12.6" cy="12.4" r="1.6" /><path d="M7.3 4.7 4.1 11M8.7 4.7l3.2 6.3M5 12.4h6" />`,
  ),
  document: icon(svg`<path d="M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.2h3.2M6.2 8.2h4M6.2 10.8h4" />`),
  layers: icon(svg`<path d="m8 2 6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3" />`),
};
