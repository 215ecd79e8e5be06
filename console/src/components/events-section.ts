import { css, html, nothing } from "lit";
import { readEvents, type SeenEvent } from "../model/events.ts";
import { formatTime } from "../model/format.ts";
import type { App } from "../store/app.ts";
import type { DeadLetter, DeadLetterList } from "../store/dead-letters.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

const MOST_SHOWN = 12;

/** What went over the bus, what still waits, and what nobody could handle. */
export class EventsSection extends View {
  static override styles = [
    base,
    css`
      .grid { display: grid; gap: 16px; margin-top: 22px; grid-template-columns: minmax(0, 1fr); }
      @media (min-width: 1000px) { .grid { grid-template-columns: minmax(0, 1.9fr) minmax(0, 1fr); align-items: start; } }
      .side { display: grid; gap: 16px; }
      .card { padding: 18px 20px; }
      .head { display: flex; justify-content: space-between; align-items: center; gap: 12px; margin-bottom: 10px; }
      .scroll { overflow-x: auto; scrollbar-width: thin; }
      table { width: 100%; border-collapse: collapse; font-size: 14px; }
      th { padding: 4px 12px 8px 0; text-align: start; font-size: 12.5px; font-weight: 600; color: var(--text-2); white-space: nowrap; }
      td { padding: 8px 12px 8px 0; border-top: 1px solid var(--line); vertical-align: baseline; }
      td:last-child, th:last-child { padding-right: 0; }
      .id { color: var(--text-2); font-size: 12.5px; overflow-wrap: anywhere; }
      .type { color: var(--event); font-weight: 600; white-space: nowrap; }
      dl div { display: flex; justify-content: space-between; gap: 12px; padding: 7px 0; border-top: 1px solid var(--line); font-size: 14px; }
      dl div:first-child { border-top: 0; }
      dd { font-weight: 600; }
      .away { margin-bottom: 10px; }
      .letter { display: grid; gap: 6px; padding: 10px 0; border-top: 1px solid var(--line); }
      .actions { display: flex; gap: 8px; }
      @media (max-width: 640px) {
        table, tbody, tr, td { display: block; }
        thead { position: absolute; clip-path: inset(50%); }
        tr { padding: 8px 0; border-top: 1px solid var(--line); }
        td { padding: 1px 0; border: 0; }
      }
    `,
  ];

  protected override watched(app: App) {
    return [
      app.traces,
      app.status,
      app.deadLetters.list,
      app.deadLetters.missing,
      app.deadLetters.notice,
      app.sessions.session,
      app.sessions.admin,
    ];
  }

  override render() {
    const events = readEvents(this.app.traces.spans()).slice(0, MOST_SHOWN);
    return html`
      <h2 id="events-title">Events</h2>
      <p class="lead">An event is saved with the change that caused it, and applied by its subscriber in that one's own transaction: late perhaps, never twice.</p>
      <div class="grid">
        <section class="card" aria-labelledby="recent-events"><h3 id="recent-events" class="head">Recent events</h3>${this.#renderEvents(events)}</section>
        <div class="side">
          <section class="card" aria-labelledby="backlog"><h3 id="backlog" class="head">Backlog</h3>${this.#renderBacklog()}</section>
          <section class="card" aria-labelledby="dead-letters">${this.#renderDeadLetters()}</section>
        </div>
      </div>
    `;
  }

  #renderEvents(events: readonly SeenEvent[]) {
    if (events.length === 0) return html`<p class="muted">None seen yet. Place an order and they appear.</p>`;
    return html`<div class="scroll"><table>
      <thead><tr><th scope="col">Time</th><th scope="col">Type</th><th scope="col">Id</th><th scope="col">Applied by</th></tr></thead>
      <tbody>${events.map(
        (event) => html`<tr>
          <td class="tabular muted small">${formatTime(event.atMs)}</td>
          <td class="type mono">${event.type}</td>
          <td class="id mono">${event.id}</td>
          <td>${event.appliedBy.length === 0 ? html`<span class="chip warn">waiting</span>` : event.appliedBy.map(({ module, attempts, done }) => html`<span class="chip ${done ? "good" : "bad"}">${done ? icons.check : icons.cross} ${module}, ${attempts === 1 ? "1 attempt" : `${attempts} attempts`}</span> `)}</td>
        </tr>`,
      )}</tbody>
    </table></div>`;
  }

  #renderBacklog() {
    const backlog = this.app.status.get()?.backlog ?? {};
    const rows = Object.entries(backlog).flatMap(([subscriber, publishers]) =>
      Object.entries(publishers).map(([publisher, count]) => ({ subscriber, publisher, count })),
    );
    if (rows.length === 0) return html`<p class="muted">Not known yet.</p>`;
    return html`<dl>${rows.map(
      ({ subscriber, publisher, count }) =>
        html`<div><dt class="muted">${publisher} → ${subscriber}</dt><dd class="tabular">${count === 0 ? "nothing waits" : `${count} waiting`}</dd></div>`,
    )}</dl>`;
  }

  #renderDeadLetters() {
    const { list, notice } = this.app.deadLetters;
    return html`<div class="head"><h3 id="dead-letters">Dead letters</h3>
        <button class="small quiet" @click=${() => this.app.deadLetters.refresh()}>Refresh</button></div>
      ${this.#renderEyes()}${this.#renderLetters(list.get())}
      <p class="small muted" role="status">${notice.get() ?? ""}</p>`;
  }

  /** Who sees and settles them, where that is not who acts. */
  #renderEyes() {
    const { admin, session } = this.app.sessions;
    const watching = admin.get();
    if (watching === undefined || watching === session.get()) return nothing;
    return html`<p class="small muted">Seen and settled as ${watching.name}, who watches.</p>`;
  }

  #renderLetters(letters: DeadLetterList) {
    if (letters === undefined) return html`<p class="muted">Sign in as an admin to see them.</p>`;
    if (letters === "unavailable") return html`<p class="muted">They cannot be had right now.</p>`;
    const missing = this.app.deadLetters.missing.get();
    if (missing.length > 0) {
      return html`<p class="away"><span class="chip warn">${missing.join(" and ")} does not answer</span> <span class="small muted">Its letters are not shown.</span></p>
        ${letters.map((letter) => this.#renderLetter(letter))}`;
    }
    if (letters.length === 0) return html`<p class="muted">None: every event was handled.</p>`;
    return letters.map((letter) => this.#renderLetter(letter));
  }

  #renderLetter({ id, module, type, error, attempts }: DeadLetter) {
    return html`<div class="letter">
      <p><span class="type mono">${type}</span> <span class="muted">at ${module}, ${attempts} attempts</span></p>
      <p class="small muted">${error}</p>
      <div class="actions">
        <button class="small" aria-label="Replay ${type} ${id}" @click=${() => this.app.deadLetters.settle(id, "replay")}>Replay</button>
        <button class="small" aria-label="Discard ${type} ${id}" @click=${() => this.app.deadLetters.settle(id, "discard")}>Discard</button>
      </div>
    </div>`;
  }
}

customElements.define("quartet-events-section", EventsSection);
