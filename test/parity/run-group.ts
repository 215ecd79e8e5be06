import { createApi } from "../support/api.ts";
import type { Topology } from "../support/topology.ts";
import { createStage, type Group } from "./scenario.ts";
import { type Entry, readState, Transcript } from "./transcript.ts";

/** Plays a group on a topology, from its start to its end. Resolves all that could be seen. */
export async function runGroup(topology: Topology, group: Group): Promise<readonly Entry[]> {
  const transcript = new Transcript();
  const shop = await topology.start(group.settings);
  const api = createApi(shop.url);
  try {
    for (const { name, run } of group.scenarios) await run(createStage(name, shop, api, transcript));
    await shop.settled();
    transcript.state("what is left", await readState(shop));
    return transcript.entries;
  } finally {
    await api.close();
    await shop.stop();
  }
}
