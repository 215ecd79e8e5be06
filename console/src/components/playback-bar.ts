import { css, html } from "lit";
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
    const off = flow === undefined;
    const steps = flow?.steps.length ?? 0;
    return html`<div role="group" aria-label="Playback">
      <button class="icon" aria-label="One step back" aria-disabled=${off || player.position <= 0} @click=${() => player.step(-1)}>${icons.back}</button>
      <button class="play" aria-disabled=${off} @click=${() => (player.playing ? player.pause() : player.play())}>
        ${player.playing ? icons.pause : icons.play} ${player.playing ? "Pause" : player.position > steps ? "Replay" : "Play"}
      </button>
      <button class="icon" aria-label="One step forward" aria-disabled=${off || player.position > steps} @click=${() => player.step(1)}>${icons.forward}</button>
      <button class="icon" aria-label="Show all steps" title="Show all steps" aria-disabled=${off || player.position > steps} @click=${() => player.finish()}>${icons.finish}</button>
      <label>Speed
        <select @change=${(event: Event) => player.speed.set(Number((event.target as HTMLSelectElement).value))}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === player.speed.get()}>${speed}×</option>`)}
        </select>
      </label>
      <span class="progress tabular">${off ? "" : `step ${Math.min(player.position, steps)} of ${steps}`}</span>
      <span class="slowed tabular" title="Shown time divided by real time. Each step is held long enough to be seen; the times in the list are the real ones.">
        ${off ? "" : formatSlowed(player.schedule().slowedBy)}
      </span>
    </div>`;
  }
}

customElements.define("quartet-playback-bar", PlaybackBar);
