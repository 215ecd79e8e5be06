import { createApi } from "../support/api.ts";
import type { Topology } from "../support/topology.ts";
import { createStage, type Group } from "./scenario.ts";
import { readState, type Views, withState } from "./state.ts";
import { Transcript } from "./transcript.ts";

/** What was seen, and how often a module has moved meanwhile. */
export interface Seen extends Views {
  readonly moves: number;
}

/** Plays a group on a topology, from its start to its end. */
export async function runGroup(topology: Topology, group: Group): Promise<Seen> {
  const transcript = new Transcript();
  const shop = await topology.start(group.settings);
  const api = createApi(shop.url);
  try {
    for (const { name, run } of group.scenarios) await run(createStage(name, shop, api, transcript));
    await shop.settled();
    return { ...withState(transcript, await readState(shop)), moves: shop.moves ?? 0 };
  } finally {
    await api.close();
    await shop.stop();
  }
}
