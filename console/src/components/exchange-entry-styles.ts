import { css } from "lit";

export const exchangeStyles = css`
  h3 { margin: 12px 0 2px; font-size: 12.5px; font-weight: 600; color: #a9b0bd; }
  details { padding: 4px 8px; border-radius: 10px; }
  details[open] { padding-bottom: 14px; background: #171b23; }
  summary { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 4px 16px; padding: 6px; list-style: none; }
  summary::-webkit-details-marker { display: none; }
  .request { overflow-wrap: anywhere; font-size: 14px; }
  .prompt { color: #93a8ff; }
  .figures { display: flex; align-items: center; gap: 12px; font-size: 13px; color: #a9b0bd; }
  .as:empty { display: none; }
  .tools { display: flex; flex-wrap: wrap; gap: 4px; margin: 0 0 4px -2px; }
  .failure { padding: 4px 6px; color: var(--bad); }
  dl { padding: 4px 6px; font-size: 12.5px; color: #a9b0bd; }
  dl div { overflow-wrap: anywhere; }
  dt, dd { display: inline; }
  dd { color: #eceef2; }
  h3, quartet-json, .plain { padding-inline: 6px; }
`;
