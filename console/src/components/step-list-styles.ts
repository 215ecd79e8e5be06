import { css } from "lit";

export const stepListStyles = css`
  ol { display: grid; gap: 2px; }
  /* Beside the diagram the list scrolls by itself, so that the lit step and its arrow are seen together. */
  @media (min-width: 900px) {
    ol { max-height: 100%; overflow-y: auto; scrollbar-width: thin; padding: 2px 6px 26px 2px; align-content: start; mask-image: linear-gradient(#000 calc(100% - 30px), transparent); }
  }

  @media (min-width: 1600px) {
    ol { display: block; columns: 2; column-gap: 16px; max-height: none; mask-image: none; padding-bottom: 4px; }
    ol > li { break-inside: avoid; }
  }

  .divider {
    display: flex; align-items: center; gap: 12px; margin: 12px 0 8px 12px;
    font-size: 12.5px; font-weight: 600; color: var(--event);
  }
  .divider::after { content: ""; flex: 1; border-top: 1px dashed currentColor; opacity: 0.5; }

  .step {
    position: relative; display: grid; width: 100%; min-height: 0;
    grid-template-columns: 26px minmax(0, 1fr) auto; gap: 2px 12px; align-items: baseline; justify-content: start;
    padding: 8px 12px; border: 0; border-radius: 10px; background: transparent;
    font-weight: 400; line-height: 1.45; text-align: start; white-space: normal;
  }
  button.step:hover { background: var(--surface-2); }
  .number {
    grid-row: 1 / span 2; align-self: start; display: grid; place-items: center; width: 26px; height: 26px; border-radius: 50%;
    border: 1.5px solid var(--kind); color: var(--kind); font: 700 12.5px / 1 var(--sans); font-variant-numeric: tabular-nums;
  }
  .route { grid-column: 2 / -1; display: flex; align-items: center; flex-wrap: wrap; gap: 0 10px; }
  .ends { font-weight: 600; font-size: 14px; }
  .sample { width: 36px; overflow: visible; }
  .what { grid-column: 2; font: 500 13px / 1.5 var(--mono); color: var(--text); overflow-wrap: anywhere; }
  .how { font-size: 13px; color: var(--text-2); }
  /* One line, so that a step is two: what does not fit is in the title. */
  @media (min-width: 900px) {
    .real .route { flex-wrap: nowrap; }
    .real .ends, .real .chip { flex: none; }
    .real .how { flex: 1 1 0; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  }
  .route .chip { margin-inline-start: auto; }
  .times { grid-column: 3; grid-row: 2; display: flex; gap: 10px; justify-content: end; font-size: 13px; color: var(--text-2); }
  .duration { min-width: 58px; text-align: end; color: var(--text); font-weight: 600; }

  .plan .step { grid-template-columns: 26px minmax(0, 1fr); row-gap: 3px; padding-block: 10px; }
  .plan .how { grid-column: 2; }
  .plan .number { border-style: dashed; }

  .real .number { transition: background-color 0.2s, color 0.2s; }
  .real .done .number { background: var(--kind-soft); }
  .real .current .number { background: var(--kind); color: var(--surface); }
  .real .current .step { background: var(--kind-soft); }
  .real .failed .number { border-color: var(--bad); color: var(--bad); }
  .real .failed.current .number { background: var(--bad); color: var(--surface); }

  .real .refused .number { border-color: var(--good); color: var(--good); }
  .problem { margin: 0 12px 8px 50px; color: var(--bad); }
  .problem a { color: inherit; }

  .statement {
    margin: 2px 12px 8px 50px; padding: 10px 12px; border-radius: 8px; background: var(--surface-2);
    font: 12px / 1.55 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere;
  }

  @media (max-width: 520px) {
    .step { grid-template-columns: 26px minmax(0, 1fr); padding: 9px 6px; column-gap: 10px; }
    .route .chip { order: 1; }
    .real .how { order: 2; flex-basis: 100%; }
    .times { grid-column: 2; grid-row: auto; justify-content: start; }
    .duration { min-width: 0; }
    .problem { margin-left: 42px; }
    .statement { margin-left: 42px; margin-right: 6px; }
  }
`;
