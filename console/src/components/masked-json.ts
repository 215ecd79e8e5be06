import { html } from "lit";
import { maskSecrets } from "../model/mask.ts";
import type { Answer } from "../store/requests.ts";

/** A JSON value of a request or an answer, its passwords and tokens masked. */
export function drawJson(value: unknown) {
  return html`<quartet-json .value=${masked(value)}></quartet-json>`;
}

/** What an answer holds: JSON folds, anything else stands as it came. */
export function drawBody({ json, text }: Pick<Answer, "json" | "text">) {
  return json === undefined ? html`<pre class="plain">${text}</pre>` : drawJson(json);
}

/** The same value gives the same copy, so that nothing is drawn anew for it. */
function masked(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const known = copies.get(value) ?? maskSecrets(value);
  copies.set(value, known);
  return known;
}

const copies = new WeakMap<object, unknown>();
