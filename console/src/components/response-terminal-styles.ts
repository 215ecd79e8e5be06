import { css } from "lit";

/** A terminal is dark, whatever the page is. */
export const terminalStyles = css`
  .terminal { color-scheme: dark; overflow: hidden; border-radius: var(--radius); border: 1px solid light-dark(transparent, #2b303a); background: #12151b; color: #eceef2; }
  header { display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 14px 20px; border-bottom: 1px solid #2b303a; }
  h2 { font-size: 18px; }
  .log { min-height: 220px; max-height: 640px; overflow-y: auto; padding: 10px 12px; scrollbar-width: thin; }
  .log:focus-visible { outline-offset: -3px; }
  .empty { padding: 12px 8px; color: #a9b0bd; font-size: 14px; }
  .cursor { display: inline-block; width: 8px; height: 16px; margin-left: 8px; vertical-align: -3px; background: #93a8ff; animation: blink 1.2s steps(1) infinite; }
  @keyframes blink { 50% { opacity: 0; } }
`;
