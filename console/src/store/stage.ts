import { type Cell, createCell } from "../model/cell.ts";
import type { Flow } from "../model/flow.ts";
import type { FlowName } from "../model/plan.ts";
import { createPlayer, type Player } from "./player.ts";
import type { Traces } from "./traces.ts";

/** The tabs of the flow: the two flows, and any other request that someone wants to see. */
export type StageName = FlowName | "other";

/** What is on show, and where. */
export interface Stage {
  readonly name: StageName;
  /** The trace that is shown; without one, the plan is. */
  readonly traceId: Cell<string | undefined>;
  readonly player: Player;
  flow(): Flow | undefined;
}

export interface Stages {
  readonly current: Cell<StageName>;
  get(name: StageName): Stage;
  /** Puts a trace on the stage where it belongs, and on top. */
  show(flow: Flow): Stage;
}

export function createStages(traces: Traces): Stages {
  const current = createCell<StageName>("registration");
  const stages = { registration: stage("registration"), order: stage("order"), other: stage("other") };

  function stage(name: StageName): Stage {
    const traceId = createCell<string | undefined>(undefined);
    const flow = (): Flow | undefined => {
      const id = traceId.get();
      return id === undefined ? undefined : traces.flow(id);
    };
    return { name, traceId, flow, player: createPlayer(flow) };
  }

  return {
    current,
    get: (name) => stages[name],
    show(flow) {
      const target = stages[stageOf(flow)];
      target.player.restart();
      target.traceId.set(flow.traceId);
      current.set(target.name);
      return target;
    },
  };
}

function stageOf({ title }: Flow): StageName {
  if (title === "POST /users/register") return "registration";
  return title === "POST /orders" || title === "POST /orders/create" ? "order" : "other";
}
