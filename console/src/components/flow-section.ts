import { css, html, nothing } from "lit";
import type { Flow } from "../model/flow.ts";
import { formatMs } from "../model/format.ts";
import { toMermaid } from "../model/mermaid.ts";
import { type PlannedStep, planOf } from "../model/plan.ts";
import { groupByProcess, sharesProcess } from "../model/topology.ts";
import type { App } from "../store/app.ts";
import type { RunName } from "../store/runs.ts";
import type { Stage, StageName } from "../store/stage.ts";
import type { LinkState } from "../store/stream.ts";
import { base } from "./base-styles.ts";
import { copyText } from "./copy-text.ts";
import { flowSectionStyles } from "./flow-section-styles.ts";
import { icons } from "./icons.ts";
import { prefersStillness } from "./motion.ts";
import { View } from "./view.ts";

/** Architecture — Real-Time Flow: run it, watch it, step through it. */
export class FlowSection extends View {
  static override properties = { ...View.properties, view: { state: true }, copied: { state: true } };
  static override styles = [base, flowSectionStyles, css`:host { display: block; }`];

  declare view: "steps" | "waterfall";
  declare copied: boolean;

  constructor() {
    super();
    this.view = "steps";
    this.copied = false;
  }

  protected override watched({ stages, traces, runs, stream, sessions, info, status, processes, engines }: App) {
    const each = STAGES.map((name) => stages.get(name));
    return [
      ...[
        stages.current,
        traces,
        runs.running,
        runs.outcome,
        stream.state,
        sessions.session,
        info,
        status,
        processes,
        engines,
      ],
      ...each.flatMap((stage) => [stage.shown, stage.player]),
    ];
  }

  override render() {
    const stage = this.#stage;
    const flow = stage.flow();
    const plan = this.#plan(stage);
    return html`
      <header>
        <div>
          <h2 id="flow-title">Architecture — Real-Time Flow</h2>
          <p class="lead">Run a flow and watch the real request cross the shop. What you see is what its services recorded, not an animation made up for it.</p>
        </div>
        <quartet-arrow-legend></quartet-arrow-legend>
      </header>
      <div class="bar">
        ${this.#renderTabs()}
        <div class="runs">${this.#renderRuns()}</div>
      </div>
      <div id="panel" role="tabpanel" aria-labelledby="tab-${stage.name}" class="panel">
        <div class="card stage">
          <quartet-move-control .app=${this.app}></quartet-move-control>
          <quartet-flow-diagram .app=${this.app} .steps=${flow?.steps ?? plan.map((step, index) => ({ ...step, number: index + 1 }))}
            .position=${flow === undefined ? undefined : stage.player.position} .origin=${flow?.origin} .holdMs=${this.#holdMs(stage)}></quartet-flow-diagram>
          ${flow === undefined ? nothing : html`<quartet-flow-verdict .app=${this.app} .flow=${flow} .position=${stage.player.position}></quartet-flow-verdict>`}
          <quartet-playback-bar .app=${this.app} .stage=${stage}></quartet-playback-bar>
        </div>
        <div class="card steps">
          ${this.#renderStepsHead(flow)}
          ${this.#renderOutcome()}
          ${this.#renderSteps(stage, flow, plan)}
        </div>
        <quartet-recent-requests .app=${this.app} @replay=${() => this.#replay()}></quartet-recent-requests>
      </div>
    `;
  }

  focusTabs(): void {
    this.renderRoot.querySelector<HTMLElement>("[role=tab][aria-selected=true]")?.focus();
  }

  #plan({ name }: Stage): readonly PlannedStep[] {
    if (name === "other") return [];
    const status = this.app.status.get();
    const groups = status === undefined ? [] : groupByProcess(status, this.app.processes.get());
    return planOf(name, (from, to) => sharesProcess(groups, from, to));
  }

  get #stage(): Stage {
    return this.app.stages.top();
  }

  #holdMs({ player }: Stage): number {
    return player.schedule().holdsMs[player.position - 1] ?? 900;
  }

  #renderTabs() {
    const other = this.app.stages.get("other").flow();
    const names: [StageName, string][] = [
      ["order", "Order"],
      ["registration", "Registration"],
    ];
    if (other !== undefined) names.push(["other", other.title]);
    const current = this.#stage.name;
    return html`<div role="tablist" aria-label="Flows" @keydown=${this.#moveBetweenTabs}>
      ${names.map(
        ([
          name,
          title,
        ]) => html`<button role="tab" id="tab-${name}" aria-controls="panel" aria-selected=${name === current}
          tabindex=${name === current ? 0 : -1} @click=${() => this.app.stages.current.set(name)}>${title}</button>`,
      )}
    </div>`;
  }

  /** The keys of the ARIA pattern for tabs. */
  #moveBetweenTabs(event: KeyboardEvent): void {
    const tabs = [...this.renderRoot.querySelectorAll<HTMLElement>("[role=tab]")];
    const at = tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
    const tab = to === undefined ? undefined : tabs[to % tabs.length];
    if (tab === undefined) return;
    event.preventDefault();
    tab.click();
    tab.focus();
  }

  #renderRuns() {
    const current = this.#stage.name;
    if (current === "registration") return this.#runButton("registration", "Run registration", true);
    if (current === "order") {
      return html`${this.#renderWho()}${this.#runButton("oversold", "Run an oversold order", false)} ${this.#runButton("order", "Run order", true)}`;
    }
    return nothing;
  }

  /** In whose name an order will be placed. */
  #renderWho() {
    const session = this.app.sessions.session.get();
    const who = session?.name ?? (this.app.info.get()?.oneClick === true ? "the demo admin" : undefined);
    return html`<span class="who small muted">${who === undefined ? "Nobody is signed in" : html`Orders as <b>${who}</b>`}</span>`;
  }

  #runButton(name: RunName, title: string, primary: boolean) {
    const running = this.app.runs.running.get();
    return html`<button class=${primary ? "primary" : ""} aria-disabled=${running !== undefined} data-run=${name} @click=${() => this.#run(name)}>
      ${primary ? icons.play : icons.two} ${running === name ? "Running…" : title}
    </button>`;
  }

  #renderStepsHead(flow: Flow | undefined) {
    return html`<div class="head">
      <div class="what">
        <h3>${flow === undefined ? "The plan" : flow.title}</h3>
        <p class="small muted tabular">${flow === undefined ? "As designed; run it and the real steps take its place." : describe(flow)}</p>
      </div>
      ${
        flow === undefined
          ? html`<span class="chip">plan</span>`
          : html`<div class="tools">
              <div class="views" role="group" aria-label="View">${(["steps", "waterfall"] as const).map(
                (view) =>
                  html`<button class="small quiet" aria-pressed=${this.view === view} @click=${() => {
                    this.view = view;
                  }}>${view === "steps" ? "Steps" : "Waterfall"}</button>`,
              )}</div>
              <button class="small quiet" aria-label="Copy as Mermaid sequence diagram" title="Copy as Mermaid sequence diagram" @click=${() => this.#copy(flow)}>${this.copied ? icons.check : icons.copy} ${this.copied ? "Copied" : "Mermaid"}</button>
            </div>`
      }
    </div>`;
  }

  #renderOutcome() {
    const outcome = this.app.runs.outcome.get();
    const fits =
      outcome !== undefined && (outcome.run === "registration" ? "registration" : "order") === this.#stage.name;
    return html`<div role="status">${fits ? html`<p class="outcome ${outcome.tone}">${OUTCOME_ICONS[outcome.tone]}<span>${outcome.text}</span></p>` : nothing}</div>`;
  }

  #renderSteps(stage: Stage, flow: Flow | undefined, plan: readonly PlannedStep[]) {
    const { player } = stage;
    if (flow !== undefined && this.view === "waterfall") {
      return html`<quartet-waterfall .flow=${flow} .engines=${this.app.engines.get()} .position=${player.position}></quartet-waterfall>`;
    }
    const hint = HINTS[this.app.stream.state.get()];
    return html`${hint === undefined || flow?.requestId !== undefined ? nothing : html`<p class="small muted hint">${hint}</p>`}<quartet-step-list .engines=${this.app.engines.get()} .steps=${flow?.steps} .plan=${plan} .position=${player.position} .playing=${player.playing}
      @step-selected=${(event: CustomEvent<number>) => player.step(event.detail - player.position)}></quartet-step-list>`;
  }

  async #copy(flow: Flow): Promise<void> {
    this.copied = await copyText(toMermaid(flow, this.app.engines.get()));
    setTimeout(() => {
      this.copied = false;
    }, 2_000);
  }

  #run(name: RunName): void {
    if (this.app.stream.state.get() === "paused") this.app.stream.open();
    void this.app.runs.start(name);
  }

  /** A request that someone picked: shown from its beginning. */
  #replay(): void {
    const { player } = this.#stage;
    if (prefersStillness()) player.finish();
    else player.play();
    this.scrollIntoView({ block: "start" });
  }
}

const STAGES = ["registration", "order", "other"] as const;

const OUTCOME_ICONS = { good: icons.check, proud: icons.shield, plain: icons.check, bad: icons.warning };

/** Why no real steps are to be seen. */
const HINTS: Readonly<Partial<Record<LinkState, string>>> = {
  denied: "Only an admin may watch what really happens here: sign in as one to see the real steps.",
  reconnecting: "The stream has broken off: real steps come as soon as it is back.",
  paused: "The stream is paused: a run resumes it.",
};

function describe(flow: Flow): string {
  const unanswered = flow.requestId === undefined && flow.failed ? "no answer" : "no answer yet";
  const answered = flow.answeredInMs === undefined ? unanswered : `answered in ${formatMs(flow.answeredInMs)}`;
  const settled = flow.totalMs > (flow.answeredInMs ?? 0) + 0.05 ? `, all done in ${formatMs(flow.totalMs)}` : "";
  return `${flow.steps.length} ${flow.steps.length === 1 ? "step" : "steps"}, ${answered}${settled}`;
}

customElements.define("quartet-flow-section", FlowSection);
