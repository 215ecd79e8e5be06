import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { isRecord } from "../model/json.ts";
import { problemPage } from "../model/problem.ts";
import { base } from "./base-styles.ts";
import { problemLink } from "./problem-link.ts";

/** How many members of a value are shown before a click shows the rest. */
const AT_ONCE = 20;

/** Levels that are open at first. */
const OPEN_LEVELS = 3;

/** A JSON value in colours, whose objects and lists fold. */
export class JsonView extends LitElement {
  static override properties = { value: { attribute: false }, whole: { state: true } };
  static override styles = [
    base,
    css`
      :host { font: 13px / 1.6 var(--mono); overflow-wrap: anywhere; }
      details > div, .members { padding-left: 18px; border-left: 1px solid var(--line); margin-left: 4px; }
      summary { width: fit-content; list-style-position: outside; margin-left: 14px; padding: 0 3px; }
      .leaf { padding-left: 14px; }
      .key { color: var(--text); }
      .string { color: light-dark(#16713a, #8fdc9f); }
      .number { color: light-dark(#8a4b00, #f5b877); }
      .word { color: light-dark(#6a35b5, #c7a6ff); }
      .fold { color: var(--text-2); }
      button { margin: 2px 0 2px 14px; }
    `,
  ];

  declare value: unknown;
  declare whole: boolean;

  override render() {
    return this.#renderValue(this.value, undefined, 0);
  }

  #renderValue(value: unknown, key: string | undefined, level: number): TemplateResult {
    const label = key === undefined ? nothing : html`<span class="key">${key}</span>: `;
    const list = Array.isArray(value);
    if (!list && !isRecord(value))
      return html`<div class="leaf">${label}${key === "type" && level === 1 && problemPage(value) !== undefined ? problemLink(String(value), JSON.stringify(value)) : leaf(value)}</div>`;
    const members = list
      ? value.map((member, index): [string, unknown] => [String(index), member])
      : Object.entries(value);
    if (members.length === 0)
      return html`<div class="leaf">${label}<span class="fold">${list ? "[]" : "{}"}</span></div>`;
    const shown = this.whole ? members : members.slice(0, AT_ONCE);
    return html`<details ?open=${level < OPEN_LEVELS && !(level > 1 && list)}>
      <summary>${label}<span class="fold">${list ? `[ ${count(members.length, "item")} ]` : `{ ${count(members.length, "member")} }`}</span></summary>
      <div>${shown.map(([name, member]) => this.#renderValue(member, name, level + 1))}
        ${
          shown.length < members.length
            ? html`<button class="small" @click=${() => {
                this.whole = true;
              }}>Show ${members.length - shown.length} more</button>`
            : nothing
        }
      </div>
    </details>`;
  }
}

function leaf(value: unknown): TemplateResult {
  if (typeof value === "string") return html`<span class="string">${JSON.stringify(value)}</span>`;
  if (typeof value === "number") return html`<span class="number">${value}</span>`;
  return html`<span class="word">${String(value)}</span>`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

customElements.define("quartet-json", JsonView);
