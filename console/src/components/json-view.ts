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

  /** What someone has folded or unfolded, by its place. */
  #folds = new Map<string, boolean>();

  override render() {
    return this.#renderValue(this.value, []);
  }

  #renderValue(value: unknown, path: readonly string[]): TemplateResult {
    const key = path.at(-1);
    const label = key === undefined ? nothing : html`<span class="key">${key}</span>: `;
    const members = membersOf(value);
    if (members === undefined) {
      const isProblem = path.length === 1 && key === "type" && problemPage(value) !== undefined;
      return html`<div class="leaf">${label}${isProblem ? problemLink(String(value), JSON.stringify(value)) : leaf(value)}</div>`;
    }
    const list = Array.isArray(value);
    if (members.length === 0)
      return html`<div class="leaf">${label}<span class="fold">${list ? "[]" : "{}"}</span></div>`;
    const place = JSON.stringify(path);
    const open = this.#folds.get(place) ?? (path.length < OPEN_LEVELS && !(path.length > 1 && list));
    return html`<details ?open=${open} @toggle=${(event: ToggleEvent) => this.#fold(event, place, open)}>
      <summary>${label}<span class="fold">${list ? `[ ${count(members.length, "item")} ]` : `{ ${count(members.length, "member")} }`}</span></summary>
      ${open ? this.#renderMembers(members, path) : nothing}
    </details>`;
  }

  /** Only of what is unfolded, for a document may have thousands. */
  #renderMembers(members: readonly [string, unknown][], path: readonly string[]) {
    const shown = this.whole ? members : members.slice(0, AT_ONCE);
    return html`<div>${shown.map(([name, member]) => this.#renderValue(member, [...path, name]))}
      ${
        shown.length < members.length
          ? html`<button class="small" @click=${() => {
              this.whole = true;
            }}>Show ${members.length - shown.length} more</button>`
          : nothing
      }
    </div>`;
  }

  #fold(event: Event, place: string, was: boolean): void {
    const { open } = event.currentTarget as HTMLDetailsElement;
    if (open === was) return;
    this.#folds.set(place, open);
    this.requestUpdate();
  }
}

/** The members of an object or a list; undefined of anything else. */
function membersOf(value: unknown): [string, unknown][] | undefined {
  if (Array.isArray(value)) return value.map((member, index): [string, unknown] => [String(index), member]);
  return isRecord(value) ? Object.entries(value) : undefined;
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
