import { css, html, LitElement, nothing } from "lit";
import type { Step } from "../model/flow.ts";
import { formatMs, formatOffset } from "../model/format.ts";
import { type Engines, routeName } from "../model/places.ts";
import type { PlannedStep } from "../model/plan.ts";
import { pageOfStatus } from "../model/problem.ts";
import { arrowSample } from "./arrow-legend.ts";
import { base } from "./base-styles.ts";
import { arrowStyles } from "./diagram-styles.ts";
import { icons } from "./icons.ts";
import { prefersStillness } from "./motion.ts";
import { problemLink } from "./problem-link.ts";
import { stepListStyles } from "./step-list-styles.ts";

/** The numbered steps: those that really happened, or before that the plan. */
export class StepList extends LitElement {
  static override properties = {
    engines: { attribute: false },
    steps: { attribute: false },
    plan: { attribute: false },
    position: { attribute: false },
    playing: { attribute: false },
  };
  static override styles = [base, arrowStyles, stepListStyles, css`:host { display: block; }`];

  declare engines: Engines;
  declare steps: readonly Step[] | undefined;
  declare plan: readonly PlannedStep[];
  declare position: number;
  declare playing: boolean;

  override render() {
    if (this.steps === undefined) return this.#renderPlan();
    return html`<ol class="real" aria-label="Steps, from real spans">${this.steps.map((step, index, all) =>
      this.#renderStep(step, step.phase === "afterwards" && all[index - 1]?.phase !== "afterwards"),
    )}</ol>`;
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (!changed.has("position")) return;
    const list = this.renderRoot.querySelector("ol");
    const lit = this.renderRoot.querySelector<HTMLElement>("[aria-current]")?.closest("li");
    if (list !== null && lit != null) keepInView(list, lit);
  }

  #renderPlan() {
    return html`<ol class="plan" tabindex="0" aria-label="Steps, as planned">${this.plan.map(
      (step, index, all) => html`<li class=${step.kind}>
        ${step.afterwards && !all[index - 1]?.afterwards ? divider("After the answer") : nothing}
        <div class="step">
          <span class="number" aria-hidden="true">${index + 1}</span>
          <span class="route"><span class="ends">${routeName(step, this.engines)}</span>${arrowSample(step.kind)}</span>
          <code class="what">${step.what}</code>
          <span class="how">${step.why}</span>
        </div>
      </li>`,
    )}</ol>`;
  }

  #renderStep(step: Step, opensAfterwards: boolean) {
    const current = step.number === this.position;
    const state = current ? "current" : step.number < this.position ? "done" : "ahead";
    return html`<li class="${step.kind} ${state} ${step.failed ? "failed" : step.refused ? "refused" : ""}" data-span=${step.spanId}>
      ${opensAfterwards ? divider(this.#laterTitle(step)) : nothing}
      <button class="step" aria-current=${current ? "step" : nothing} @click=${() => this.#select(step.number)}>
        <span class="number" aria-hidden="true">${step.number}</span>
        <span class="route"><span class="ends">${routeName(step, this.engines)}</span>${arrowSample(step.kind)}<span class="how" title=${step.how}>${step.how}</span>
          ${statusChip(step)}</span>
        <code class="what">${step.what}</code>
        <span class="times tabular">
          <span class="offset" title="Start, since the request came"><span class="visually-hidden">started </span>${formatOffset(step.startMs)}</span>
          <span class="duration" title="Duration"><span class="visually-hidden">took </span>${formatMs(step.durationMs)}</span>
        </span>
      </button>
      ${this.#renderProblem(step)}
      ${current && !this.playing ? step.statements.map((statement) => html`<pre class="statement">${statement.trim()}</pre>`) : nothing}
    </li>`;
  }

  /** Beside the button, for a link has no place in one. */
  #renderProblem({ failed, status, number }: Step) {
    const page = failed && number <= this.position ? pageOfStatus(status) : undefined;
    return page === undefined ? nothing : html`<p class="problem small">What it means: ${problemLink(page, page)}</p>`;
  }

  /** The first effect of an event may even be quicker than the answer; then it was not after it. */
  #laterTitle(first: Step): string {
    const answer = this.steps?.find(({ phase }) => phase === "answer");
    if (answer !== undefined && first.startMs < answer.startMs) return "Asynchronously: nobody waits for it";
    return "After the answer, asynchronously";
  }

  #select(number: number): void {
    this.dispatchEvent(new CustomEvent("step-selected", { detail: number }));
  }
}

function statusChip({ failed, refused, phase, status }: Step) {
  if (failed) return html`<span class="chip bad">${icons.cross}${status}</span>`;
  if (refused) return html`<span class="chip good">${icons.shield}${status}</span>`;
  return html`<span class="chip ${phase === "answer" ? "good" : ""}">${status}</span>`;
}

function divider(text: string) {
  return html`<p class="divider">${text}</p>`;
}

/** Scrolls the list, and only the list, so that the page stays where the reader has it. */
function keepInView(list: HTMLElement, item: HTMLElement): void {
  const top = item.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top + item.offsetHeight > list.scrollTop + list.clientHeight) {
    const still = prefersStillness();
    const before = item.previousElementSibling;
    const withBefore = before instanceof HTMLElement ? before.offsetTop - list.offsetTop : top;
    list.scrollTo({ top: withBefore, behavior: still ? "auto" : "smooth" });
  }
}

customElements.define("quartet-step-list", StepList);
