import { css } from "lit";

export const flowSectionStyles = css`
  header { display: flex; flex-wrap: wrap; align-items: end; justify-content: space-between; gap: 16px 32px; }

  .bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 12px; margin: 24px 0 14px; }
  .runs { display: flex; flex-wrap: wrap; gap: 8px; }
  [role="tablist"] { display: flex; flex-wrap: wrap; gap: 4px; padding: 4px; border-radius: 12px; background: var(--surface-2); border: 1px solid var(--line); }
  [role="tab"] { border-color: transparent; background: transparent; color: var(--text-2); }
  [role="tab"][aria-selected="true"] { background: var(--raised); border-color: var(--line); color: var(--text); box-shadow: var(--shadow); }

  .who { align-self: center; padding-inline: 4px; }
  .who b { color: var(--text); font-weight: 600; }

  .panel { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; align-items: start; }
  @media (min-width: 900px) {
    .panel { grid-template-columns: minmax(0, 1.22fr) minmax(0, 1fr); align-items: stretch; }
    .steps { display: flex; flex-direction: column; height: 0; min-height: 100%; }
    quartet-step-list, quartet-waterfall { flex: 1; min-height: 0; }
    quartet-waterfall { overflow-y: auto; scrollbar-width: thin; }
    quartet-recent-requests { grid-column: 1 / -1; }
  }
  /* Room for the steps in two columns beside the diagram. */
  @media (min-width: 1600px) {
    .panel { grid-template-columns: minmax(0, 1fr) minmax(0, 1.25fr); }
    .steps { height: auto; }
  }
  .stage { position: relative; padding: 20px; }
  quartet-move-control { position: absolute; inset-block-start: 16px; inset-inline-end: 16px; max-width: 32%; }
  quartet-playback-bar { margin-top: 18px; padding-top: 16px; border-top: 1px solid var(--line); }
  .steps { padding: 16px 12px 14px; }
  .head { display: flex; flex-wrap: wrap; align-items: start; justify-content: space-between; gap: 8px 12px; padding: 0 8px 10px 12px; }
  .head h3 { overflow-wrap: anywhere; }
  .tools { display: flex; align-items: center; gap: 6px; }
  .views { display: flex; padding: 2px; border-radius: 8px; background: var(--surface-2); }
  .views button { min-height: 26px; border-radius: 6px; }
  .views [aria-pressed="true"] { background: var(--raised); color: var(--text); box-shadow: var(--shadow); }
  .outcome { display: flex; gap: 10px; margin: 0 8px 10px; padding: 10px 12px; border-radius: 10px; background: var(--surface-2); font-size: 14px; }
  .outcome svg { flex: none; margin-top: 3px; }
  .outcome.proud { background: var(--good-soft); color: var(--good); }
  .outcome.good { background: var(--good-soft); color: var(--good); }
  .outcome.bad { background: var(--bad-soft); color: var(--bad); }
  .hint { padding: 0 12px 10px; }
  quartet-waterfall { padding: 0 12px; }

  @media (max-width: 520px) {
    .stage { padding: 14px 10px; }
    .steps { padding: 14px 4px 10px; }
    .runs, .runs button { width: 100%; }
    .runs button:not(.primary) { order: 1; }
    .who { width: 100%; order: 2; text-align: center; }
  }
`;
