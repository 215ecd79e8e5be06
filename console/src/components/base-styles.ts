import { css } from "lit";

/** What all parts of the page share: type, buttons, chips, focus. */
export const base = css`
  *, *::before, *::after { box-sizing: border-box; }
  :host { display: block; min-width: 0; }
  :host([hidden]) { display: none; }

  h2, h3, h4, p, ol, ul, dl, dd, pre, figure { margin: 0; padding: 0; }
  ol, ul { list-style: none; }
  h2 { font-size: clamp(22px, 2.4vw, 28px); font-weight: 650; letter-spacing: -0.02em; line-height: 1.2; text-wrap: balance; }
  h3 { font-size: 16px; font-weight: 650; letter-spacing: -0.005em; line-height: 1.35; }
  a { color: var(--accent); text-underline-offset: 3px; }
  .lead { margin-top: 8px; max-width: 68ch; color: var(--text-2); text-wrap: pretty; }
  .muted { color: var(--text-2); }
  .small { font-size: 13px; }
  .mono { font-family: var(--mono); font-size: 0.92em; font-variant-ligatures: none; }
  .tabular { font-variant-numeric: tabular-nums; }

  .card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); box-shadow: var(--shadow); }

  button, .button {
    display: inline-flex; align-items: center; justify-content: center; gap: 8px;
    min-height: 36px; padding: 0 14px;
    border: 1px solid var(--line); border-radius: var(--radius-small);
    background: var(--surface); color: var(--text);
    font: 600 14px / 1 var(--sans); white-space: nowrap; cursor: pointer;
    transition: background-color 0.15s, border-color 0.15s;
  }
  button:hover { background: var(--surface-2); border-color: var(--line-strong); }
  button:is(:disabled, [aria-disabled="true"]) { color: var(--text-2); cursor: default; background: var(--surface-2); border-color: var(--line); }
  button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
  button.primary:hover { background: color-mix(in oklab, var(--accent), var(--text) 12%); }
  button.primary:is(:disabled, [aria-disabled="true"]) { background: var(--surface-2); border-color: var(--line); color: var(--text-2); }
  button.quiet { border-color: transparent; background: transparent; color: var(--text-2); }
  button.quiet:hover { background: var(--surface-2); color: var(--text); }
  button.small { min-height: 30px; padding: 0 10px; font-size: 13px; }
  button.icon { width: 36px; padding: 0; }
  button svg { flex: none; }

  :focus { outline: none; }
  :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }

  input, textarea, select {
    width: 100%; padding: 8px 10px; border: 1px solid var(--line-strong); border-radius: var(--radius-small);
    background: var(--surface); color: var(--text); font: 15px / 1.4 var(--sans);
  }

  .chip {
    display: inline-flex; align-items: center; gap: 6px; padding: 2px 8px; border-radius: 6px;
    background: var(--surface-2); color: var(--text-2); font: 600 12px / 18px var(--sans); white-space: nowrap;
  }
  .chip.good { background: var(--good-soft); color: var(--good); }
  .chip.warn { background: var(--warn-soft); color: var(--warn); }
  .chip.bad { background: var(--bad-soft); color: var(--bad); }
  .chip.accent { background: var(--accent-soft); color: var(--accent); }

  .visually-hidden {
    position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }

  summary { cursor: pointer; border-radius: 6px; }

  @media (prefers-reduced-motion: reduce) {
    *, *::before, *::after { transition: none !important; animation: none !important; }
  }
`;
