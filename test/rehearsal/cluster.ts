import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startShopProcess } from "../support/process.ts";
import type { Settings } from "../support/topology.ts";
import type { ClusterNames } from "./cluster-names.ts";
import type { Ingress } from "./ingress.ts";
import { Pod } from "./pod.ts";
import type { Template, Templates } from "./templates.ts";

export interface ClusterOptions {
  readonly templates: Templates;
  /** What is set here beside the manifests, or in their place. */
  readonly settings: Settings;
  readonly names: ClusterNames;
  readonly ingress: Ingress;
  readonly folder: string;
  /** How long it takes until who sends something knows that a pod has come or goes. */
  readonly lagMs: number;
  readonly patience: number;
  readonly sparedS: number;
  readonly say: (line: string) => void;
}

/** What a cluster does with the manifests of a shop, played with processes of this machine. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #running = new Map<string, Pod[]>();
  #count = 0;

  constructor(options: ClusterOptions) {
    this.#options = options;
    for (const { name } of options.templates.services) this.#running.set(name, []);
  }

  get services(): readonly string[] {
    return [...this.#running.keys()];
  }

  /** Runs the Job that migrates. Resolves what it has told. @throws Error when it fails */
  async migrate(code: string): Promise<string> {
    const { templates, settings, folder } = this.#options;
    const env = { ...templates.job.env, ...settings };
    const job = startShopProcess({ env, args: templates.job.args, cwd: folder, code });
    const { code: status } = await job.exited;
    if (status !== 0) throw new Error(`the Job ended with status ${status}:\n${job.output()}`);
    return job.output();
  }

  /** Starts as many of each as there are to be. Resolves when whoever sends something knows of all. */
  async begin(code: string): Promise<void> {
    const starts = this.#options.templates.services.flatMap((template) =>
      Array.from({ length: template.replicas }, () => this.#begin(template, code)),
    );
    await Promise.all(starts);
    await sleep(this.#options.lagMs);
  }

  /**
   * Exchanges the pods of a service as its Deployment does: one more is started, and when it is ready one of before is ended, while the next
   * is started. Resolves when the last of them has ended.
   */
  async roll(service: string, code: string): Promise<void> {
    const template = this.#options.templates.services.find(({ name }) => name === service);
    if (template === undefined) throw new Error(`there is no ${service}`);
    const ends: Promise<void>[] = [];
    for (const old of [...this.#podsOf(service)]) {
      await this.#begin(template, code);
      const end = this.#end(service, old);
      end.catch(() => undefined); // is told below
      ends.push(end);
    }
    await Promise.all(ends);
  }

  /** How a pod has ended that nobody has ended. */
  ended(): string[] {
    const pods = [...this.#running.values()].flat();
    return pods.filter(({ process, isLeaving }) => !process.running && !isLeaving).map((pod) => pod.story());
  }

  /** What a log says that is worse than information, of all pods that run. */
  warnings(): string[] {
    return [...this.#running.values()].flat().flatMap(({ name, process }) =>
      process
        .output()
        .split("\n")
        .filter((line) => /"level":[4-6]0/.test(line))
        .map((line) => `${name} ${line}`),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].flat().map(({ process }) => process.kill()));
  }

  async #begin(template: Template, code: string): Promise<void> {
    const { settings, folder, patience, sparedS, say } = this.#options;
    const number = ++this.#count;
    const name = `${template.name}-${number}`;
    const address = `127.1.0.${number}`;
    const cwd = join(folder, name);
    await mkdir(cwd);
    const env = { ...template.env, HOST: address, DATA_DIR: cwd, ...settings };
    const startedAt = performance.now();
    const pod = new Pod({
      name,
      address,
      template,
      process: startShopProcess({ env, cwd, code }),
      onChange: () => this.#tell(template.name),
      patience,
      sparedS,
    });
    this.#podsOf(template.name).push(pod);
    await pod.begin();
    say(`${name} is ready after ${Math.round(performance.now() - startedAt)} ms`);
  }

  async #end(service: string, pod: Pod): Promise<void> {
    const startedAt = performance.now();
    await pod.end();
    this.#running.set(
      service,
      this.#podsOf(service).filter((each) => each !== pod),
    );
    this.#options.say(`${pod.name} has ended after ${Math.round(performance.now() - startedAt)} ms`);
  }

  #podsOf(service: string): Pod[] {
    return this.#running.get(service) ?? [];
  }

  /** Names and the proxy alike: the word gets around late. */
  #tell(service: string): void {
    const { names, ingress, lagMs } = this.#options;
    const ready = this.#podsOf(service).filter(({ isReady }) => isReady);
    const addresses = ready.map(({ address }) => address);
    setTimeout(() => {
      names.set(service, addresses);
      if (service === "gateway") void ingress.set(addresses);
    }, lagMs);
  }
}
