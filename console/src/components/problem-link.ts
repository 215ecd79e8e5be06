import { html } from "lit";
import { problemPage } from "../model/problem.ts";

/** The name of a problem, leading to the page that explains it; what is no problem of this shop stays text. */
export function problemLink(type: string, text: string) {
  const page = problemPage(type);
  if (page === undefined) return html`${text}`;
  return html`<a href=${page} target="_blank" rel="noopener noreferrer">${text}<span class="visually-hidden"> (opens a page that explains it)</span></a>`;
}
