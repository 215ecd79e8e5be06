import { createHash } from "node:crypto";
import { HOME } from "../../src/runtime/move/placement.ts";
import { readPlacement } from "../../src/runtime/move/placement-file.ts";
import { type Databases, MODULES, type ModuleName } from "./databases.ts";
import { moveModule } from "./move-module.ts";
import {
  type ExtraProcess,
  oneProcessWithRedis,
  type ProcessShop,
  type ProcessTopology,
  type Settings,
  type Shop,
  type Topology,
  threeBehindGateway,
} from "./topology.ts";

/** In so many moves each module goes out once, and comes back. */
const ROUND = MODULES.flatMap((module) => ["one way", "the other way"].map((way) => ({ module, way })));

export const movingFromOne: Topology = moving(oneProcessWithRedis);
export const movingFromOneNowAndThen: Topology = moving(oneProcessWithRedis, 5);
export const movingFromThree: Topology = moving(threeBehindGateway);

/** The same with a standby for each module, to which it moves, and from which it comes back. @param every at how manieth step of a scenario one does */
function moving(home: ProcessTopology, every = 1): Topology {
  return {
    name: `${home.name}, a module moves at every ${every === 1 ? "" : `${every}th `}step`,
    opensAgain: true,
    async start(settings) {
      const shop = await home.start(settings);
      try {
        return new ShopOnTheMove(shop, await startStandbys(shop), every);
      } catch (error) {
        await shop.stop();
        throw error;
      }
    },
  };
}

type Standbys = ReadonlyMap<ModuleName, ExtraProcess>;

async function startStandbys(shop: ProcessShop): Promise<Standbys> {
  const settings: Settings = { STANDBY: "on" };
  const started = MODULES.map(async (name) => [name, await shop.startBeside(name, settings)] as const);
  return new Map(await Promise.all(started));
}

class ShopOnTheMove implements Shop {
  readonly #home: ProcessShop;
  readonly #standbys: Standbys;
  readonly #every: number;
  readonly #steps = new Map<string, number>();
  moves = 0;

  constructor(home: ProcessShop, standbys: Standbys, every: number) {
    this.#home = home;
    this.#standbys = standbys;
    this.#every = every;
  }

  get url(): string {
    return this.#home.url;
  }

  /** Which module moves is told by the scenario and the step: it is the same each time. */
  async betweenSteps(scenario: string): Promise<void> {
    const step = this.#steps.get(scenario) ?? 0;
    this.#steps.set(scenario, step + 1);
    if (step % this.#every === 0) await this.#move(moduleOf(scenario, step / this.#every));
  }

  databases(): Promise<(module: ModuleName) => string> {
    return this.#home.databases();
  }

  look(): Promise<Databases> {
    return this.#home.look();
  }

  settled(): Promise<void> {
    return this.#home.settled();
  }

  loseRedis(): Promise<void> {
    return this.#home.loseRedis();
  }

  returnRedis(): Promise<void> {
    return this.#home.returnRedis();
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#standbys.values(), (standby) => standby.terminate()));
    await this.#home.stop();
  }

  async #move(name: ModuleName): Promise<void> {
    const { dataDir } = this.#home;
    const { url = "" } = this.#standbys.get(name) ?? {};
    const isHome = readPlacement(dataDir, name).owner === HOME;
    await moveModule(dataDir, name, isHome ? { url } : "here", undefined);
    this.moves += 1;
  }
}

/** Each round in an order of its own, so that modules meet in every way. */
function moduleOf(scenario: string, move: number): ModuleName {
  const round = Math.floor(move / ROUND.length);
  const shuffled = ROUND.map(({ module, way }) => ({ module, at: hash(`${scenario} ${round} ${module} ${way}`) }));
  shuffled.sort((one, other) => (one.at < other.at ? -1 : 1));
  return shuffled[move % ROUND.length]?.module ?? "users";
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
