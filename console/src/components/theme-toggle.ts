import { html, LitElement } from "lit";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";

/** Light, dark, or as the system has it: one button, three states. */
export class ThemeToggle extends LitElement {
  static override properties = { theme: { state: true } };
  static override styles = base;
  declare theme: Theme;

  constructor() {
    super();
    const stored = readStored();
    this.theme = THEMES.find((theme) => theme === stored) ?? "system";
    applyTheme(this.theme);
  }

  override render() {
    const icon = { system: icons.system, light: icons.sun, dark: icons.moon }[this.theme];
    return html`<button class="icon" aria-label="Theme: ${this.theme}" title="Theme: ${this.theme}" @click=${this.#next}>${icon}</button>`;
  }

  #next(): void {
    this.theme = THEMES[(THEMES.indexOf(this.theme) + 1) % THEMES.length] ?? "system";
    applyTheme(this.theme);
  }
}

const THEMES = ["system", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const STORED_AS = "quartet-theme";

function applyTheme(theme: Theme): void {
  if (theme === "system") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(STORED_AS, theme);
  } catch {
    // A browser that keeps nothing: the choice lives as long as the page.
  }
}

function readStored(): string | null {
  try {
    return localStorage.getItem(STORED_AS);
  } catch {
    return null;
  }
}

customElements.define("quartet-theme-toggle", ThemeToggle);
