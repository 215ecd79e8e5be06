import { css, html, type TemplateResult } from "lit";
import { excerptOf } from "../model/excerpt.ts";
import { modules } from "../model/modules.ts";
import { describeGroups, groupByProcess, type ProcessGroup, type Status } from "../model/topology.ts";
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
      ul { display: grid; gap: 16px; margin-top: 22px; grid-template-columns: minmax(0, 1fr); }
      @media (min-width: 700px) { ul { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
      @media (min-width: 1300px) { ul { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
      li { display: grid; grid-row: span 4; grid-template-rows: subgrid; gap: 12px; padding: 22px; min-width: 0; }
      h3 { display: flex; align-items: center; gap: 10px; }
      h3 svg { color: var(--accent); flex: none; }
      li > p { font-size: 14.5px; color: var(--text-2); text-wrap: pretty; }
      figure { display: grid; grid-template-rows: auto 1fr; }
      figcaption { font-size: 12.5px; color: var(--text-2); margin-bottom: 5px; }
      pre { padding: 10px 12px; border-radius: 10px; background: var(--surface-2); font: 12px / 1.6 var(--mono); white-space: pre; overflow-x: auto; scrollbar-width: thin; }
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
      <p class="lead">As one process for quick work, or as ${CONTAINERS} containers and a Redis. Nothing in the code asks which; four ideas carry it.</p>
      <ul>${this.#cards().map(
        (card) => html`<li class="card">
          <h3>${card.icon} ${card.title}</h3>
          <p>${card.text}</p>
          <figure><figcaption class="mono">${card.file}</figcaption><pre tabindex="0" role="region" aria-label="${card.title}, lines of ${card.file}">${card.lines}</pre></figure>
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
    const { compose, dockerfile, node, environment } = this.app.info.get() ?? {};
    const status = this.app.status.get();
    const groups = status === undefined ? [] : groupByProcess(status, this.app.processes.get());
    return [
      {
        icon: icons.container,
        title: "Container isolation",
        text: "In containers, each service has one to itself: its own files, its own network addresses, its own processes.",
        file: "docker-compose.yml",
        lines: this.#excerpt(
          compose,
          [/^\s+init:/, /^\s+read_only:/, /^\s+tmpfs:/, /^\s+cap_drop:/, /^\s+security_opt:/],
          6,
        ),
        now: nowIsolated(groups),
      },
      {
        icon: icons.network,
        title: "Compose network",
        text: "In containers, all share a virtual network and call each other by service name, never by IP address.",
        file: "docker-compose.yml",
        lines: this.#excerpt(compose, groups.length === 1 ? NETWORKS : [...ADDRESSES, /^\s+internal:/], 8),
        now: nowConnected(status, groups),
      },
      {
        icon: icons.document,
        title: "docker-compose.yml",
        text: "One file declares every service with its ports, settings, volumes and what it waits for.",
        file: "docker-compose.yml",
        lines: this.#excerpt(
          compose,
          [/SERVE: gateway/, /^ {4}ports:/, /^ {4}depends_on:/, /^ {6}\w+: \{ condition:/],
          9,
        ),
        now: nowRunning(status),
      },
      {
        icon: icons.layers,
        title: "Images",
        text: "A Dockerfile builds the image layer by layer; what did not change comes from the cache, so the next build is quick.",
        file: "Dockerfile",
        lines: this.#excerpt(dockerfile, [/^(FROM|COPY|RUN|CMD|ENTRYPOINT)\b/], 6),
        now: `Node.js ${node?.replace(/^v/, "") ?? "unknown"}, ${environment ?? "unknown"} settings`,
      },
    ];
  }
}

const CONTAINERS = ["two", "three", "four", "five", "six"][modules.length - 1] ?? modules.length + 1;

const NETWORKS = [/^ {2}(front|back):/, /^\s+internal:/];
const ADDRESSES = [new RegExp(`^\\s+(${[...modules.map(({ name }) => name), "redis"].join("|")})_URL:`, "i")];

function nowIsolated(groups: readonly ProcessGroup[]): string {
  if (groups.length === 0) return "not known yet";
  if (groups.length === 1) return `${describeGroups(groups)}: nothing is isolated but the databases`;
  return `${describeGroups(groups)}: ${groups.map(({ services }) => services.join(" with ")).join(", ")}`;
}

function nowConnected(status: Status | undefined, groups: readonly ProcessGroup[]): string {
  if (status === undefined) return "not known yet";
  if (groups.length === 1) return "direct calls within one process, no network between the services";
  const remote = status.modules.filter(({ placement }) => placement === "remote");
  const [up, down] = [true, false].map((runs) => remote.filter((each) => (each.status === "running") === runs));
  const told = [
    up?.length ? `${up.map(({ name, port }) => `${name}:${port}`).join(", ")} over HTTP` : "",
    down?.length ? `not to be reached: ${down.map(({ name }) => name).join(", ")}` : "",
  ];
  return told.filter((each) => each !== "").join("; ");
}

function nowRunning(status: Status | undefined): string {
  if (status === undefined) return "not known yet";
  const running = status.modules.filter((module) => module.status === "running").length;
  return `bus ${status.bus.kind === "redis" ? "on Redis" : "in memory"}; ${running} of ${status.modules.length} services running`;
}

customElements.define("quartet-docker-cards", DockerCards);
