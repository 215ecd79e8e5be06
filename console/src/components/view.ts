import { type CSSResultGroup, LitElement } from "lit";
import type { Watchable } from "../model/cell.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";

/** A part of the page: it is given the app, and draws itself anew when what it watches changes. */
export abstract class View extends LitElement {
  static override properties = { app: { attribute: false } };
  static override styles: CSSResultGroup = base;

  declare app: App;
  #stops: (() => void)[] = [];

  /** What this part shows; asked once the app is there. */
  protected abstract watched(app: App): readonly Watchable[];

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stops = this.watched(this.app).map((cell) => cell.watch(() => this.requestUpdate()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const stop of this.#stops) stop();
  }
}
