import { css } from "lit";

/** A terminal is dark, whatever the page is. */
export const terminalStyles = css`
  .terminal { color-scheme: dark; overflow: hidden; border-radius: var(--radius); border: 1px solid light-dark(transparent, #2b303a); background: #12151b; color: #eceef2; }
  header { display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 14px 20px; border-bottom: 1px solid #2b303a; }
  h2 { font-size: 18px; }
  h3 { margin: 12px 0 2px; font-size: 12.5px; font-weight: 600; color: #a9b0bd; }
  .log { min-height: 220px; max-height: 640px; overflow-y: auto; padding: 10px 12px; scrollbar-width: thin; }
  .log:focus-visible { outline-offset: -3px; }
  .empty { padding: 12px 8px; color: #a9b0bd; font-size: 14px; }
  .cursor { display: inline-block; width: 8px; height: 16px; margin-left: 8px; vertical-align: -3px; background: #93a8ff; animation: blink 1.2s steps(1) infinite; }
  @keyframes blink { 50% { opacity: 0; } }

  .exchange { padding: 4px 8px; border-radius: 10px; }
  .exchange + .exchange { margin-top: 2px; }
  .exchange[open] { padding-bottom: 14px; background: #171b23; }
  .exchange > summary { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 4px 16px; padding: 6px; list-style: none; }
  .exchange > summary::-webkit-details-marker { display: none; }
  .request { overflow-wrap: anywhere; font-size: 14px; }
  .prompt { color: #93a8ff; }
  .figures { display: flex; align-items: center; gap: 12px; font-size: 13px; color: #a9b0bd; }
  .tools { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 4px -2px; }
  .failure { padding: 4px 6px; color: var(--bad); }
  dl { padding: 4px 6px; font-size: 12.5px; color: #a9b0bd; }
  dl div { overflow-wrap: anywhere; }
  dt, dd { display: inline; }
  dd { color: #eceef2; }
  h3, quartet-json { padding-inline: 6px; }
`;
