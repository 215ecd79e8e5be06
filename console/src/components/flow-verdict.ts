import { css, html, nothing } from "lit";
import type { Flow, Step } from "../model/flow.ts";
import { routeName } from "../model/places.ts";
import { pageOfStatus, readProblem } from "../model/problem.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { problemLink } from "./problem-link.ts";
import { View } from "./view.ts";

/** What went wrong, where, and with which problem; or what the shop is proud to have refused. Told when the steps have come to it. */
export class FlowVerdict extends View {
  static override properties = { ...View.properties, flow: { attribute: false }, position: { attribute: false } };
  static override styles = [
    base,
    css`
      p { display: flex; gap: 10px; margin-top: 14px; padding: 10px 12px; border-radius: 10px; font-size: 14px; overflow-wrap: anywhere; }
      svg { flex: none; margin-top: 3px; }
      .bad { background: var(--bad-soft); color: var(--bad); }
      .proud { background: var(--good-soft); color: var(--good); }
      a { color: inherit; font-weight: 600; }
    `,
  ];

  declare flow: Flow;
  declare position: number;

  protected override watched() {
    return [this.app.requests.shown];
  }

  override render() {
    const { flow, position } = this;
    const origin = flow.steps.find(({ number }) => number === flow.origin);
    const content =
      origin !== undefined && position >= origin.number ? this.#renderFault(origin) : this.#renderPride(position);
    return html`<div role="status">${content}</div>`;
  }

  #renderFault(origin: Step) {
    const problem = readProblem(this.app.requests.find(this.flow.traceId)?.answer?.json);
    const ofSpan = pageOfStatus(origin.status);
    const type = ofSpan !== undefined && origin.phase !== "answer" ? ofSpan : `/problems/${problem?.name ?? ""}`;
    const name = type.slice("/problems/".length) || (origin.status === "no-answer" ? "No answer" : origin.status);
    return html`<p class="bad fault">${icons.warning}<span><b>Step ${origin.number} failed: ${routeName(origin, this.app.engines.get())}.</b>
      ${problemLink(type, name)}${problem === undefined ? nothing : html`: ${problem.detail}`}</span></p>`;
  }

  #renderPride(position: number) {
    const { outcome, steps } = this.flow;
    const decided = steps.find(({ what, refused }) => refused || what === "stock.rejected");
    if (decided === undefined || position < decided.number) return nothing;
    if (outcome !== "rejected" && outcome !== "refused") return nothing;
    const how = outcome === "refused" ? "Refused at once" : "Taken, then rejected by its event";
    return html`<p class="proud pride">${icons.shield}<span><b>${how}, as designed.</b> Not enough was left, and the stock never went below zero: nothing was oversold.</span></p>`;
  }
}

customElements.define("quartet-flow-verdict", FlowVerdict);
