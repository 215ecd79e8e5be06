import { css } from "lit";

export const flowSectionStyles = css`
  header { display: flex; flex-wrap: wrap; align-items: end; justify-content: space-between; gap: 16px 32px; }

  .bar { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 12px; margin: 24px 0 14px; }
  .runs { display: flex; flex-wrap: wrap; gap: 8px; }
  [role="tablist"] { display: flex; flex-wrap: wrap; gap: 4px; padding: 4px; border-radius: 12px; background: var(--surface-2); border: 1px solid var(--line); }
  [role="tab"] { border-color: transparent; background: transparent; color: var(--text-2); }
  [role="tab"][aria-selected="true"] { background: var(--surface); border-color: var(--line); color: var(--text); box-shadow: var(--shadow); }

  .panel { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; margin-bottom: 16px; }
  @media (min-width: 1100px) { .panel { grid-template-columns: minmax(0, 1.28fr) minmax(0, 1fr); align-items: start; } }
  .stage { padding: 20px; }
  quartet-playback-bar { margin-top: 18px; padding-top: 16px; border-top: 1px solid var(--line); }
  .steps { padding: 16px 12px 14px; }
  .head { display: flex; align-items: start; justify-content: space-between; gap: 12px; padding: 0 8px 10px 12px; }
  .head h3 { overflow-wrap: anywhere; }
  .tools { display: flex; flex-wrap: wrap; justify-content: end; gap: 2px; margin: -4px -4px 0 0; }
  .outcome { display: flex; gap: 10px; margin: 0 8px 10px; padding: 10px 12px; border-radius: 10px; background: var(--surface-2); font-size: 14px; }
  .outcome svg { flex: none; margin-top: 3px; }
  .outcome.good { background: var(--good-soft); color: var(--good); }
  .outcome.bad { background: var(--bad-soft); color: var(--bad); }
  .hint { padding: 0 12px 10px; }
  quartet-waterfall { padding: 0 12px; }

  @media (max-width: 520px) {
    .stage { padding: 14px 10px; }
    .steps { padding: 14px 4px 10px; }
    .runs, .runs button { width: 100%; }
  }
`;
