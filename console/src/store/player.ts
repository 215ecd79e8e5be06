import { type Cell, createCell, type Watchable } from "../model/cell.ts";
import type { Flow } from "../model/flow.ts";
import { planPlayback, type Schedule } from "../model/playback.ts";

/** Shows a flow step after step. */
export interface Player extends Watchable {
  readonly speed: Cell<number>;
  /** The number of the step that is lit: 0 before the first, one past the last when all have been. */
  readonly position: number;
  readonly playing: boolean;
  schedule(): Schedule;
  play(): void;
  pause(): void;
  /** Moves by a step, which ends the playing. */
  step(by: number): void;
  restart(): void;
  /** Shows everything at once. */
  finish(): void;
}

/** @param flow the flow that is shown now; steps may join it while it plays */
export function createPlayer(flow: () => Flow | undefined): Player {
  const speed = createCell(1);
  const version = createCell(0);
  let position = 0;
  let playing = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const last = (): number => (flow()?.steps.length ?? 0) + 1;
  const changed = (): void => version.set(version.get() + 1);
  const schedule = (): Schedule => planPlayback(flow() ?? { steps: [], totalMs: 0 }, speed.get());

  const halt = (): void => {
    clearTimeout(timer);
    playing = false;
  };

  const go = (to: number): void => {
    position = Math.max(0, Math.min(to, last()));
    if (position === last()) playing = false;
    changed();
  };

  const advance = (): void => {
    go(position + 1);
    if (playing) timer = setTimeout(advance, schedule().holdsMs[position - 1] ?? 0);
  };

  return {
    speed,
    get position() {
      return position;
    },
    get playing() {
      return playing;
    },
    watch(onChange) {
      const stops = [version.watch(onChange), speed.watch(onChange)];
      return () => {
        for (const stop of stops) stop();
      };
    },
    schedule,
    play() {
      if (playing || flow() === undefined) return;
      if (position >= last()) position = 0;
      playing = true;
      advance();
    },
    pause() {
      halt();
      changed();
    },
    step(by) {
      halt();
      go(position + by);
    },
    restart() {
      halt();
      go(0);
    },
    finish() {
      halt();
      go(last());
    },
  };
}
