import { css, html, nothing } from "lit";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { View } from "./view.ts";

/** The form to sign in: by one click where the gateway offers it, else by e-mail address and password. */
export class SignIn extends View {
  static override styles = [
    base,
    css`
      dialog { width: min(400px, calc(100vw - 32px)); padding: 24px; border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); color: var(--text); box-shadow: 0 24px 80px rgb(0 0 0 / 25%); }
      dialog::backdrop { background: rgb(10 12 18 / 45%); }
      h2 { font-size: 20px; margin-bottom: 4px; }
      form { display: grid; gap: 14px; margin-top: 16px; }
      label { display: grid; gap: 5px; font-size: 13.5px; font-weight: 600; }
      .row { display: flex; justify-content: end; gap: 8px; margin-top: 4px; }
      .failure { color: var(--bad); font-size: 14px; }
      .or { margin-top: 16px; padding-top: 16px; border-top: 1px solid var(--line); }
      .one-click { width: 100%; margin-top: 16px; }
    `,
  ];

  protected override watched(app: App) {
    return [app.sessions.failure, app.info];
  }

  /** Opens the form. */
  open(): void {
    this.app.sessions.failure.set(undefined);
    this.renderRoot.querySelector("dialog")?.showModal();
  }

  override render() {
    const failure = this.app.sessions.failure.get();
    const oneClick = this.app.info.get()?.oneClick === true;
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Sign in</h2>
      <p class="small muted">An admin sees the flow and may change products.</p>
      ${oneClick ? html`<button class="primary one-click" @click=${this.#signInWithOneClick}>Sign in as the demo admin</button><p class="small muted or">Or with an account of your own:</p>` : nothing}
      <form @submit=${this.#signIn}>
        <label>E-mail address <input name="email" type="email" autocomplete="username" required /></label>
        <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="failure" role="alert">${failure ?? ""}</p>
        <div class="row">
          <button type="button" class="quiet" @click=${this.#close}>Cancel</button>
          <button class=${oneClick ? "" : "primary"}>Sign in</button>
        </div>
      </form>
    </dialog>`;
  }

  async #signIn(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    if (await this.app.sessions.signIn(String(data.get("email")), String(data.get("password")))) {
      form.reset();
      this.#close();
    }
  }

  async #signInWithOneClick(): Promise<void> {
    if (await this.app.sessions.signInWithOneClick()) this.#close();
  }

  #close(): void {
    this.renderRoot.querySelector("dialog")?.close();
  }
}

customElements.define("quartet-sign-in", SignIn);
