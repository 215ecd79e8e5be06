import { createApi } from "../support/api.ts";
import type { Topology } from "../support/topology.ts";
import { createStage, type Group } from "./scenario.ts";
import { BY_NAME, commonState, type Entry, readState, Transcript } from "./transcript.ts";

/** All that could be seen, and what of it is the same whatever engines keep the data. */
export interface Seen {
  readonly entries: readonly Entry[];
  readonly common: readonly Entry[];
}

/** Plays a group on a topology, from its start to its end. */
export async function runGroup(topology: Topology, group: Group): Promise<Seen> {
  const transcript = new Transcript();
  const shop = await topology.start(group.settings);
  const api = createApi(shop.url);
  try {
    for (const { name, run } of group.scenarios) await run(createStage(name, shop, api, transcript));
    await shop.settled();
    const state = await readState(shop);
    const common = transcript.fork();
    common.state("what is left", commonState(state), BY_NAME);
    transcript.state("what is left", state);
    return { entries: transcript.entries, common: common.entries };
  } finally {
    await api.close();
    await shop.stop();
  }
}
