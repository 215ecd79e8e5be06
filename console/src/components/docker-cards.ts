import { css, html, type TemplateResult } from "lit";
import { excerptOf } from "../model/excerpt.ts";
import { describeGroups, groupByProcess } from "../model/topology.ts";
import type { App } from "../store/app.ts";
import { base } from "./base-styles.ts";
import { icons } from "./icons.ts";
import { View } from "./view.ts";

interface Card {
  readonly icon: TemplateResult;
  readonly title: string;
  readonly text: string;
  readonly file: string;
  readonly lines: string;
  readonly now: string;
}

/** The four ideas of Docker that this shop leans on: what they are, where its files say so, what is true right now. */
export class DockerCards extends View {
  static override styles = [
    base,
    css`
      ul { display: grid; gap: 16px; margin-top: 22px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); }
      li { display: grid; grid-row: span 4; grid-template-rows: subgrid; gap: 12px; padding: 22px; min-width: 0; }
      h3 { display: flex; align-items: center; gap: 10px; }
      h3 svg { color: var(--accent); flex: none; }
      li > p { font-size: 14.5px; color: var(--text-2); text-wrap: pretty; }
      figure { display: grid; grid-template-rows: auto 1fr; }
      figcaption { font-size: 12.5px; color: var(--text-2); margin-bottom: 5px; }
      pre { padding: 10px 12px; border-radius: 10px; background: var(--surface-2); font: 12px / 1.6 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
      .now { display: flex; gap: 8px; padding-top: 12px; border-top: 1px solid var(--line); font-size: 13.5px; overflow-wrap: anywhere; }
      .now b { color: var(--good); font-weight: 650; white-space: nowrap; }
    `,
  ];

  protected override watched(app: App) {
    return [app.info, app.status, app.processes, app.stream.state];
  }

  override render() {
    return html`
      <h2 id="docker-title">The same code in containers</h2>
      <p class="lead">As one process for quick work, or as four containers and a Redis. Nothing in the code asks which; four ideas carry it.</p>
      <ul>${this.#cards().map(
        (card) => html`<li class="card">
          <h3>${card.icon} ${card.title}</h3>
          <p>${card.text}</p>
          <figure><figcaption class="mono">${card.file}</figcaption><pre>${card.lines}</pre></figure>
          <p class="now"><b>Now</b> <span>${card.now}</span></p>
        </li>`,
      )}</ul>
    `;
  }

  /** As `excerptOf` gives it; to a stranger the gateway does not show its files, which is not to say that it has none. */
  #excerpt(...[text, ...rest]: Parameters<typeof excerptOf>): string {
    if (text === undefined && this.app.stream.state.get() === "denied")
      return "Not known: sign in as an admin to see it.";
    return excerptOf(text, ...rest);
  }

  #cards(): readonly Card[] {
    const { compose, dockerfile } = this.app.info.get() ?? {};
    const status = this.app.status.get();
    const groups = status === undefined ? [] : groupByProcess(status, this.app.processes.get());
    const alone = groups.length === 1;
    const remote = status?.modules.filter(({ placement }) => placement === "remote") ?? [];
    return [
      {
        icon: icons.container,
        title: "Container isolation",
        text: "Each service has a container to itself: its own files, its own network addresses, its own processes.",
        file: "docker-compose.yml",
        lines: this.#excerpt(
          compose,
          [/^\s+init:/, /^\s+read_only:/, /^\s+tmpfs:/, /^\s+cap_drop:/, /^\s+security_opt:/],
          5,
        ),
        now:
          status === undefined
            ? "not known yet"
            : `${describeGroups(groups)}${alone ? ": nothing is isolated but the databases" : `: ${groups.flatMap(({ process }) => process ?? []).join(", ")}`}`,
      },
      {
        icon: icons.network,
        title: "Compose network",
        text: "All containers share a virtual network and call each other by service name, never by IP address.",
        file: "docker-compose.yml",
        lines: this.#excerpt(compose, [/^\s+(USERS|PRODUCTS|ORDERS|REDIS)_URL:/, /^\s+internal:/], 5),
        now: alone
          ? "direct calls within one process, no network between the services"
          : `${remote.map(({ name, port }) => `${name}:${port}`).join(", ")} answer over HTTP`,
      },
      {
        icon: icons.document,
        title: "docker-compose.yml",
        text: "One file declares every service with its ports, settings, volumes and what it waits for.",
        file: "docker-compose.yml",
        lines: this.#excerpt(
          compose,
          [/^ {2}gateway:/, /SERVE:/, /ports:/, /networks:/, /depends_on:/, /condition:/],
          7,
          "services:",
        ),
        now: `bus ${status?.bus.kind === "redis" ? "on Redis" : "in memory"}; ${status?.modules.filter((module) => module.status === "running").length ?? 0} of 4 services running`,
      },
      {
        icon: icons.layers,
        title: "Images",
        text: "A Dockerfile builds the image layer by layer; what did not change comes from the cache, so the next build is quick.",
        file: "Dockerfile",
        lines: this.#excerpt(dockerfile, [/^(FROM|COPY|RUN|CMD|ENTRYPOINT)\b/], 6),
        now: `Node.js ${this.app.info.get()?.node?.replace(/^v/, "") ?? "unknown"}, ${this.app.info.get()?.environment ?? "unknown"} settings`,
      },
    ];
  }
}

customElements.define("quartet-docker-cards", DockerCards);
