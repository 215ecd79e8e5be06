import { css } from "lit";

/** A terminal is dark, whatever the page is. */
export const terminalColours = css`
  .terminal { color-scheme: dark; background: #12151b; color: #eceef2; }
  .plain { margin: 4px 0 0; font: 12.5px / 1.6 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
`;

export const terminalStyles = css`
  ${terminalColours}
  .terminal { overflow: hidden; border-radius: var(--radius); border: 1px solid light-dark(transparent, #2b303a); }
  header { display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 14px 20px; border-bottom: 1px solid #2b303a; }
  h2 { font-size: 18px; }
  .log { min-height: 220px; max-height: min(640px, calc(100vh - 190px)); overflow-y: auto; padding: 10px 12px; scrollbar-width: thin; }
  .log:focus-visible { outline-offset: -3px; }
  .empty { display: grid; gap: 10px; padding: 12px 8px; color: #a9b0bd; font-size: 14px; text-wrap: pretty; }
  .empty b { color: #eceef2; font-weight: 600; }
  .prompt { color: #93a8ff; }
`;
