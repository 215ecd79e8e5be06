import { css, html, nothing, svg } from "lit";
import { type Edge, type Geometry, layOut } from "../model/geometry.ts";
import { type ArrowKind, isDatabase, moduleNames, type Place, placeName } from "../model/places.ts";
import { groupByProcess, type ProcessGroup, sharesProcess } from "../model/topology.ts";
import type { App } from "../store/app.ts";
import { arrowMarkers } from "./arrow-markers.ts";
import { base } from "./base-styles.ts";
import { describeGates, drawGates } from "./diagram-gates.ts";
import { drawDatabase, drawService } from "./diagram-places.ts";
import { arrowStyles, diagramStyles } from "./diagram-styles.ts";
import { FrameMotion, glow } from "./frame-motion.ts";
import { prefersStillness } from "./motion.ts";
import { drawFrameLabels, drawFrames } from "./process-frames.ts";
import { View } from "./view.ts";

/** A step as far as the diagram shows it. */
export interface ShownStep {
  readonly number: number;
  readonly from: Place;
  readonly to: Place;
  readonly kind: ArrowKind;
  readonly failed?: boolean;
  readonly refused?: boolean;
}

const NARROW_BELOW = 460;
const BRIEF_BELOW = 620;

/** Who there is, who shares a process, and which step is going on. */
export class FlowDiagram extends View {
  static override properties = {
    ...View.properties,
    steps: { attribute: false },
    position: { attribute: false },
    origin: { attribute: false },
    holdMs: { attribute: false },
    width: { state: true },
  };
  static override styles = [
    base,
    arrowStyles,
    diagramStyles,
    css`:host { display: block; container-type: inline-size; }`,
  ];

  declare steps: readonly ShownStep[];
  /** The number of the lit step; undefined where nothing has run. */
  declare position: number | undefined;
  /** The number of the step that went wrong first. */
  declare origin: number | undefined;
  /** How long a step stays lit. */
  declare holdMs: number;
  declare width: number;
  readonly #frames = new FrameMotion();
  #busKind: string | undefined;
  #resizes = new ResizeObserver(([entry]) => {
    this.width = entry?.contentRect.width ?? 0;
  });

  constructor() {
    super();
    this.steps = [];
    this.holdMs = 0;
    this.width = NARROW_BELOW;
  }

  get narrow(): boolean {
    return this.width < NARROW_BELOW;
  }

  protected override watched(app: App) {
    return [app.status, app.processes, app.engines, app.gates.shown];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#resizes.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#resizes.disconnect();
  }

  override render() {
    const geometry = layOut(this.narrow);
    const groups = this.#groups;
    return html`<svg viewBox="0 0 ${geometry.width} ${geometry.height}" role="img" aria-label=${this.#describe()}
      class=${this.narrow ? "narrow" : "wide"}>
      ${arrowMarkers}
      ${drawFrames(geometry, groups)}
      ${geometry.edges.map((edge) => this.#drawEdge(edge, this.#kindOf(edge, groups)))}
      ${drawFrameLabels(geometry, groups, this.width < BRIEF_BELOW)}
      ${[...geometry.boxes.keys()].map((place) => this.#drawPlace(place, geometry))}
      ${drawGates(geometry, this.app.gates.shown.get(), this.narrow)}
      <circle class="token" r="7" visibility="hidden"></circle>
      ${geometry.edges.map((edge) => this.#drawBadge(edge, this.#kindOf(edge, groups)))}
    </svg>`;
  }

  override updated(changed: Map<PropertyKey, unknown>): void {
    if (changed.has("position") && this.#current !== undefined) this.#moveToken(this.#current);
    this.#frames.follow(this.renderRoot, `${this.narrow} ${this.#groups.length > 0}`);
    this.#followBus();
  }

  /** That events go another way than before is to be seen. */
  #followBus(): void {
    const kind = this.app.status.get()?.bus.kind;
    const node = this.renderRoot.querySelector(".place.bus rect");
    if (this.#busKind !== undefined && kind !== this.#busKind && node !== null) glow(node);
    this.#busKind = kind;
  }

  get #current(): ShownStep | undefined {
    return this.steps.find((step) => step.number === this.position);
  }

  get #groups(): readonly ProcessGroup[] {
    const status = this.app.status.get();
    return status === undefined ? [] : groupByProcess(status, this.app.processes.get());
  }

  /** As the step on show was made; where there is none, as it would be made now. */
  #kindOf(edge: Edge, groups: readonly ProcessGroup[]): ArrowKind {
    const [step] = this.#stepsOn(edge);
    if (step !== undefined) return step.kind;
    return edge.kind === "http" && sharesProcess(groups, edge.from, edge.to) ? "direct" : edge.kind;
  }

  /** The step that went wrong first, once it is its turn. */
  get #broken(): ShownStep | undefined {
    const { origin, position } = this;
    if (origin === undefined || position === undefined || position < origin) return undefined;
    return this.steps.find(({ number }) => number === origin);
  }

  #nameOf(place: Place): string {
    return placeName(place, this.app.engines.get());
  }

  #describe(): string {
    const shared = this.#groups.map(({ services }) => services.map((name) => placeName(name)).join(", ")).join("; ");
    const broken = this.#broken;
    const wrong =
      broken === undefined
        ? ""
        : ` Step ${broken.number} failed: ${this.#nameOf(broken.from)} to ${this.#nameOf(broken.to)}.`;
    return `Client, API Gateway, the services ${SERVICES} with a database each, and the event bus. Processes: ${shared || "not known yet"}. The steps are in the list.${wrong}${describeGates(this.app.gates.shown.get())}`;
  }

  #stepsOn(edge: Edge): readonly ShownStep[] {
    return this.steps.filter(({ from, to }) => runsAlong(edge, from, to, this.#edgeExists(from, to)));
  }

  #edgeExists(from: Place, to: Place): boolean {
    return layOut(this.narrow).edges.some((edge) => edge.from === from && edge.to === to);
  }

  #stateOf(edge: Edge): string {
    const { position } = this;
    const numbers = this.#stepsOn(edge).map((step) => step.number);
    if (position === undefined) return numbers.length > 0 ? "planned" : "idle";
    if (numbers.includes(position)) return "active";
    return numbers.some((number) => number < position) ? "done" : "idle";
  }

  #drawEdge(edge: Edge, kind: ArrowKind) {
    const broken = this.#broken !== undefined && this.#stepsOn(edge).includes(this.#broken);
    const end = broken ? "broken" : kind;
    return svg`<path class="edge ${kind} ${this.#stateOf(edge)} ${broken ? "broken" : ""}" d=${edge.path} marker-end="url(#${end}-end)"
      data-edge="${edge.from}-${edge.to}"></path>`;
  }

  #drawBadge(edge: Edge, kind: ArrowKind) {
    const steps = this.#stepsOn(edge).filter(({ number }) => this.position === undefined || number <= this.position);
    if (steps.length === 0) return nothing;
    const text = badgeText(steps.map((step) => step.number));
    const width = Math.max(this.narrow ? 17 : 22, text.length * (this.narrow ? 5.4 : 6.6) + (this.narrow ? 8 : 12));
    const height = this.narrow ? 17 : 22;
    const mood = steps.some(({ failed }) => failed === true)
      ? "failed"
      : steps.some(({ refused }) => refused)
        ? "refused"
        : "";
    return svg`<g class="badge ${kind} ${this.#stateOf(edge)} ${mood}" transform="translate(${edge.badge.x} ${edge.badge.y})">
      <rect x=${-width / 2} y=${-height / 2} width=${width} height=${height} rx=${height / 2}></rect>
      <text dy=${this.narrow ? 3.5 : 4}>${text}</text>
    </g>`;
  }

  #drawPlace(place: Place, { boxes }: Geometry) {
    const box = boxes.get(place);
    if (box === undefined) return nothing;
    const current = this.#current;
    const lit = current !== undefined && (current.from === place || current.to === place);
    const broken = place !== "client" && this.#broken?.to === place;
    const drawing = { box, lit, broken, narrow: this.narrow };
    return isDatabase(place)
      ? drawDatabase(place, this.app.engines.get(), drawing)
      : drawService(place, drawing, this.app.status.get());
  }

  /** A token travels along its arrow, unless nothing is to move. */
  #moveToken(step: ShownStep): void {
    const token = this.renderRoot.querySelector<SVGElement>(".token");
    const edge = layOut(this.narrow).edges.find((each) =>
      runsAlong(each, step.from, step.to, this.#edgeExists(step.from, step.to)),
    );
    if (token === null || edge === undefined || prefersStillness()) return;
    token.setAttribute("class", `token ${step.kind}`);
    token.style.offsetPath = `path("${edge.path}")`;
    token.style.offsetRotate = "0deg";
    const backwards = edge.from !== step.from;
    const ends = backwards ? ["100%", "0%"] : ["0%", "100%"];
    token.setAttribute("visibility", "visible");
    for (const old of token.getAnimations()) old.cancel();
    const move = token.animate([{ offsetDistance: ends[0] ?? "0%" }, { offsetDistance: ends[1] ?? "100%" }], {
      duration: Math.max(250, Math.min(900, this.holdMs * 0.8)),
      easing: "cubic-bezier(0.45, 0, 0.25, 1)",
    });
    move.onfinish = () => token.setAttribute("visibility", "hidden");
  }
}

const SERVICES = new Intl.ListFormat("en-GB").format(moduleNames.map((name) => placeName(name)));

/** An arrow that goes back has no line of its own: it runs along the one that leads there. */
function runsAlong(edge: Edge, from: Place, to: Place, hasOwn: boolean): boolean {
  if (edge.from === from && edge.to === to) return true;
  return !hasOwn && edge.from === to && edge.to === from;
}

/** `3`, `3 · 8`, and where there are more, `3 · 8 …`. */
function badgeText(numbers: readonly number[]): string {
  return numbers.slice(0, 2).join(" · ") + (numbers.length > 2 ? " …" : "");
}

customElements.define("quartet-flow-diagram", FlowDiagram);
