import { css, html, nothing } from "lit";
import type { App } from "../store/app.ts";
import type { Session } from "../store/session.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import type { SignIn } from "./sign-in.ts";
import { View } from "./view.ts";

/** Who is signed in, and a menu of what can be done about it; where nobody is, the way to the form. */
export class AccountControl extends View {
  static override properties = { ...View.properties, opened: { state: true } };
  static override styles = [
    base,
    css`
      .control { position: relative; }
      .name { max-width: 150px; overflow: hidden; text-overflow: ellipsis; line-height: 1.5; }
      .menu { position: absolute; inset-inline-end: 0; top: calc(100% + 8px); z-index: 4; width: max-content; min-width: 230px; max-width: min(320px, calc(100vw - 28px)); padding: 6px; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); box-shadow: 0 16px 48px rgb(0 0 0 / 22%); }
      .whom { display: grid; gap: 2px; padding: 8px 10px 10px; margin-bottom: 6px; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
      .whom b { display: flex; align-items: center; justify-content: space-between; gap: 10px; font-weight: 650; }
      .menu button { width: 100%; justify-content: start; border-color: transparent; background: transparent; font-weight: 500; white-space: normal; text-align: start; line-height: 1.3; }
      .menu button:hover { background: var(--surface-2); }
      @media (max-width: 420px) { .name { max-width: 84px; } .toggle { padding: 0 10px; gap: 6px; } .name + svg { display: none; } }
    `,
  ];

  declare opened: boolean;

  constructor() {
    super();
    this.opened = false;
  }

  protected override watched(app: App) {
    return [app.sessions.session, app.sessions.admin, app.info];
  }

  protected override willUpdate(): void {
    if (this.opened && this.app.sessions.session.get() === undefined) this.#close(false);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("pointerdown", this.#onOutside);
  }

  override render() {
    const session = this.app.sessions.session.get();
    return html`<div class="control" @keydown=${this.#onKey} @focusout=${this.#onFocusOut}>
      ${this.#renderButton(session)}
      ${session !== undefined && this.opened ? this.#renderMenu(session) : nothing}
    </div><quartet-sign-in .app=${this.app}></quartet-sign-in>`;
  }

  /** The same button whether someone is signed in or not, so that it keeps the focus. */
  #renderButton(session: Session | undefined) {
    const label = session && `Account: ${session.name}, ${session.role}`;
    return html`<button class="toggle" aria-label=${label ?? nothing} aria-haspopup=${session === undefined ? "dialog" : "menu"}
      aria-expanded=${session === undefined ? nothing : this.opened} @click=${this.#press}>
      ${icons.person} <span class=${session === undefined ? "" : "name"}>${session?.name ?? "Sign in"}</span>${session === undefined ? nothing : icons.down}
    </button>`;
  }

  #renderMenu({ name, email, role }: Session) {
    const { sessions, info } = this.app;
    const admin = sessions.admin.get();
    return html`<div class="menu">
      <div class="whom"><b>${name} <span class="chip ${role === "admin" ? "accent" : ""}">${role}</span></b><span class="small muted">${email}</span></div>
      <div role="menu" aria-label="Account of ${name}">
        ${role === "customer" && admin !== undefined ? this.#item(`Go on as ${admin.name} (admin)`, () => sessions.becomeAdmin()) : nothing}
        ${role === "customer" && admin === undefined && info.get()?.oneClick === true ? this.#item("Sign in as the demo admin", () => void sessions.signInWithOneClick()) : nothing}
        ${this.#item("Sign in as someone else…", () => this.#form?.open())}
        ${this.#item("Sign out", () => void sessions.signOut())}
      </div>
    </div>`;
  }

  #item(title: string, act: () => void) {
    return html`<button role="menuitem" tabindex="-1" @click=${() => {
      this.#close(true);
      act();
    }}>${title}</button>`;
  }

  get #form(): SignIn | null {
    return this.renderRoot.querySelector<SignIn>("quartet-sign-in");
  }

  #press(): void {
    if (this.app.sessions.session.get() === undefined) this.#form?.open();
    else if (this.opened) this.#close(true);
    else void this.#open(0);
  }

  async #open(focusAt: number): Promise<void> {
    this.opened = true;
    document.addEventListener("pointerdown", this.#onOutside);
    await this.updateComplete;
    this.#items.at(focusAt)?.focus();
  }

  #close(keepsFocus: boolean): void {
    this.opened = false;
    document.removeEventListener("pointerdown", this.#onOutside);
    if (keepsFocus) this.renderRoot.querySelector<HTMLElement>(".toggle")?.focus();
  }

  get #items(): HTMLElement[] {
    return [...this.renderRoot.querySelectorAll<HTMLElement>("[role=menuitem]")];
  }

  #onOutside = (event: PointerEvent): void => {
    if (!event.composedPath().includes(this)) this.#close(false);
  };

  #onFocusOut(event: FocusEvent): void {
    const to = event.relatedTarget;
    if (to instanceof Node && !this.renderRoot.contains(to)) this.#close(false);
  }

  /** The keys of the ARIA pattern for a menu button. */
  #onKey(event: KeyboardEvent): void {
    const { key } = event;
    if (!this.opened) {
      if ((key !== "ArrowDown" && key !== "ArrowUp") || this.app.sessions.session.get() === undefined) return;
      event.preventDefault();
      void this.#open(key === "ArrowDown" ? 0 : -1);
      return;
    }
    if (key === "Escape") {
      event.preventDefault();
      this.#close(true);
    }
    if (key === "Tab") this.#close(false);
    const items = this.#items;
    const at = items.findIndex((item) => item.matches(":focus"));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 }[key];
    if (to === undefined) return;
    event.preventDefault();
    items[to % items.length]?.focus();
  }
}

customElements.define("quartet-account", AccountControl);
