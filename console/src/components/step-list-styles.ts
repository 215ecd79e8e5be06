import { css } from "lit";

export const stepListStyles = css`
  ol { display: grid; gap: 2px; }
  @media (min-width: 1100px) { ol { max-height: 640px; overflow-y: auto; scrollbar-width: thin; padding-right: 6px; } }

  .divider {
    display: flex; align-items: center; gap: 12px; margin: 12px 0 8px 12px;
    font-size: 12.5px; font-weight: 600; color: var(--event);
  }
  .divider::after { content: ""; flex: 1; border-top: 1px dashed currentColor; opacity: 0.5; }

  .step {
    position: relative; display: grid; width: 100%; min-height: 0;
    grid-template-columns: 26px minmax(0, 1fr) auto; column-gap: 12px; row-gap: 2px; align-items: baseline; justify-content: start;
    padding: 9px 12px; border: 0; border-radius: 10px; background: transparent;
    font-weight: 400; line-height: 1.45; text-align: start; white-space: normal;
  }
  button.step:hover { background: var(--surface-2); }
  .number {
    grid-row: 1 / span 2; align-self: start; display: grid; place-items: center; width: 26px; height: 26px; border-radius: 50%;
    border: 1.5px solid var(--kind); color: var(--kind); font: 700 12.5px / 1 var(--sans); font-variant-numeric: tabular-nums;
  }
  .route { grid-column: 2; display: flex; align-items: center; flex-wrap: wrap; gap: 2px 10px; }
  .ends { font-weight: 600; font-size: 14px; }
  .sample { transform: scale(0.8); transform-origin: left center; overflow: visible; }
  .what { grid-column: 2; font: 500 13px / 1.5 var(--mono); color: var(--text); overflow-wrap: anywhere; }
  .how { grid-column: 2; font-size: 13px; color: var(--text-2); }
  .figures { grid-column: 3; grid-row: 1 / span 3; display: grid; justify-items: end; gap: 3px; font-size: 13px; color: var(--text-2); }
  .duration { color: var(--text); font-weight: 600; }

  .plan .step { grid-template-columns: 26px minmax(0, 1fr); }
  .plan .number { border-style: dashed; }

  .real .number { transition: background-color 0.2s, color 0.2s; }
  .real .done .number { background: var(--kind-soft); }
  .real .current .number { background: var(--kind); color: var(--surface); }
  .real .current .step { background: var(--kind-soft); }
  .real .failed .number { border-color: var(--bad); color: var(--bad); }
  .real .failed.current .number { background: var(--bad); color: var(--surface); }

  details { margin: 0 12px 6px 50px; font-size: 12.5px; color: var(--text-2); }
  details code { display: block; margin-top: 6px; padding: 8px 10px; border-radius: 8px; background: var(--surface-2); font: 12px / 1.5 var(--mono); color: var(--text); overflow-wrap: anywhere; }
  summary { width: fit-content; padding: 1px 4px; margin-left: -4px; }

  @media (max-width: 520px) {
    .step { grid-template-columns: 26px minmax(0, 1fr); padding: 9px 6px; column-gap: 10px; }
    .figures { grid-column: 2; grid-row: auto; display: flex; align-items: center; gap: 12px; margin-top: 3px; }
    details { margin-left: 42px; }
  }
`;
