import { get } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { IProbe } from "kubernetes-models/v1";
import type { ShopProcess } from "../support/process.ts";
import type { Template } from "./templates.ts";

export interface PodOptions {
  readonly name: string;
  readonly address: string;
  readonly template: Template;
  readonly process: ShopProcess;
  /** Whoever sends it something is told. */
  readonly onChange: () => void;
  /** By how much an answer to a probe may take longer than its manifest says. */
  readonly patience: number;
  /** How much shorter than its manifest says it goes on before it is told to stop. */
  readonly sparedS: number;
}

const LAST_LINES = 20;

/** A process, and how a kubelet looks at it and ends it. */
export class Pod {
  readonly name: string;
  readonly address: string;
  readonly process: ShopProcess;
  readonly #options: PodOptions;
  #ready = false;
  #leaving = false;

  constructor(options: PodOptions) {
    this.#options = options;
    this.name = options.name;
    this.address = options.address;
    this.process = options.process;
  }

  /** Whether it is to be sent anything new. */
  get isReady(): boolean {
    return this.#ready && !this.#leaving;
  }

  get isLeaving(): boolean {
    return this.#leaving;
  }

  /** Resolves when it is ready for the first time; it is looked at from then on. @throws Error when it ends before */
  async begin(): Promise<void> {
    const { startup, readiness } = this.#options.template;
    while (!(await this.#answers(startup))) await this.#pause(startup);
    while (!(await this.#answers(readiness))) await this.#pause(readiness);
    this.#turn(true);
    void this.#watch(readiness);
  }

  /** Ends it, as its manifest says. @throws Error when it does not end as it should, or not in time */
  async end(): Promise<void> {
    const { preStopS, graceS } = this.#options.template;
    const startedAt = performance.now();
    this.#leaving = true;
    this.#options.onChange();
    await sleep((preStopS - this.#options.sparedS) * 1_000);
    const { code } = await this.process.terminate();
    const tookS = (performance.now() - startedAt) / 1_000;
    if (code !== 0) throw new Error(this.story());
    if (tookS > graceS * this.#options.patience) throw new Error(`${this.name} took ${Math.round(tookS)} s to end`);
  }

  /** How it is, and what it told last. */
  story(): string {
    return `${this.name} ${this.process.state}:\n${this.process.output().split("\n").slice(-LAST_LINES).join("\n")}`;
  }

  async #watch(probe: IProbe): Promise<void> {
    for (let failures = 0; this.process.running && !this.#leaving; ) {
      await sleep((probe.periodSeconds ?? 10) * 1_000, undefined, { ref: false });
      failures = (await this.#answers(probe)) ? 0 : failures + 1;
      if (failures === 0) this.#turn(true);
      else if (failures >= (probe.failureThreshold ?? 3)) this.#turn(false);
    }
  }

  #turn(ready: boolean): void {
    if (this.#ready === ready || this.#leaving) return;
    this.#ready = ready;
    this.#options.onChange();
  }

  async #pause({ periodSeconds = 10 }: IProbe): Promise<void> {
    if (!this.process.running) throw new Error(this.story());
    await sleep(periodSeconds * 1_000);
  }

  /** By a connection of its own, as a kubelet does. */
  #answers({ httpGet, timeoutSeconds = 1 }: IProbe): Promise<boolean> {
    const { template, patience } = this.#options;
    const where = { host: this.address, port: template.port, path: httpGet?.path, agent: false as const };
    return new Promise((resolve) => {
      const request = get({ ...where, signal: AbortSignal.timeout(timeoutSeconds * patience * 1_000) }, (answer) => {
        answer.resume().once("close", () => resolve(answer.statusCode === 200));
      });
      request.once("error", () => resolve(false));
    });
  }
}
