import { css, html, nothing } from "lit";
import type { Flow } from "../model/flow.ts";
import { formatSlowed } from "../model/playback.ts";
import type { App } from "../store/app.ts";
import type { Stage } from "../store/stage.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

const SPEEDS = [0.5, 1, 2, 4, 8];

/** Play, pause, a step on or back, speed, and how much slower than real this is. */
export class PlaybackBar extends View {
  static override properties = { ...View.properties, stage: { attribute: false } };
  static override styles = [
    base,
    css`
      div { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
      .progress { font-size: 13px; color: var(--text-2); min-width: 92px; }
      .slowed { margin-inline-start: auto; font-size: 13px; color: var(--text-2); }
      label { display: inline-flex; align-items: center; gap: 8px; font-size: 13px; color: var(--text-2); }
      select { width: auto; padding: 6px 8px; font-size: 13px; border-color: var(--line); }
      button { min-height: 36px; }
    `,
  ];

  declare stage: Stage;

  protected override watched(app: App) {
    return [app.traces, ...(["registration", "order", "other"] as const).map((name) => app.stages.get(name).player)];
  }

  override render() {
    const { player } = this.stage;
    const flow = this.stage.flow();
    return html`<div role="group" aria-label="Playback">
      ${flow === undefined ? nothing : this.#renderControls(flow)}
      <label>Speed
        <select @change=${(event: Event) => player.speed.set(Number((event.target as HTMLSelectElement).value))}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === player.speed.get()}>${speed}×</option>`)}
        </select>
      </label>
      ${flow === undefined ? html`<span class="progress">A run is played here, step by step.</span>` : this.#renderProgress(flow)}
    </div>`;
  }

  /** Before a run there is nothing to play, and no second button that looks as if there were. */
  #renderControls({ steps }: Flow) {
    const { player } = this.stage;
    const { playing, position } = player;
    const isOver = position > steps.length;
    return html`
      <button class="icon" aria-label="One step back" aria-disabled=${position <= 0} @click=${() => player.step(-1)}>${icons.back}</button>
      <button class="play" @click=${() => (playing ? player.pause() : player.play())}>
        ${playing ? icons.pause : icons.play} ${playing ? "Pause" : isOver ? "Replay" : "Play"}
      </button>
      <button class="icon" aria-label="One step forward" aria-disabled=${isOver} @click=${() => player.step(1)}>${icons.forward}</button>
      <button aria-label="Show all steps" aria-disabled=${isOver} @click=${() => player.finish()}>${icons.finish} Show all</button>
    `;
  }

  #renderProgress({ steps }: Flow) {
    const { player } = this.stage;
    return html`
      <span class="progress tabular">step ${Math.min(player.position, steps.length)} of ${steps.length}</span>
      <span class="slowed tabular" title="Shown time divided by real time. Each step is held long enough to be seen; the times in the list are the real ones.">
        ${formatSlowed(player.schedule().slowedBy)}
      </span>
    `;
  }
}

customElements.define("quartet-playback-bar", PlaybackBar);
