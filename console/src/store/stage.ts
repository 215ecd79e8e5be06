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
  /** The request that is shown; without one, the plan is. */
  readonly shown: Cell<Shown | undefined>;
  readonly player: Player;
  flow(): Flow | undefined;
}

interface Shown extends Pick<Flow, "traceId" | "requestId"> {
  /** What the page itself saw of it, for as long as no span has told more. */
  readonly seen: Flow | undefined;
}

export interface Stages {
  readonly current: Cell<StageName>;
  get(name: StageName): Stage;
  /** The one that is seen: the current one, or the first where the current one has nothing, and so no tab, any more. */
  top(): Stage;
  /** True for a trace that one of the tabs shows. */
  isShown(traceId: string): boolean;
  /** Puts a flow on the stage that is named, or else where it belongs, and on top. */
  show(flow: Flow, name?: StageName): Stage;
}

export function createStages(traces: Traces): Stages {
  const current = createCell<StageName>("order");
  const stages = { registration: stage("registration"), order: stage("order"), other: stage("other") };

  function stage(name: StageName): Stage {
    const shown: Stage["shown"] = createCell(undefined);
    const flow = (): Flow | undefined => {
      const request = shown.get();
      return request && (traces.flow(request.traceId, request.requestId) ?? request.seen);
    };
    return { name, shown, flow, player: createPlayer(flow) };
  }

  return {
    current,
    get: (name) => stages[name],
    top() {
      const name = current.get();
      return name === "other" && stages.other.flow() === undefined ? stages.order : stages[name];
    },
    isShown: (traceId) => Object.values(stages).some(({ shown }) => shown.get()?.traceId === traceId),
    show(flow, name = stageOf(flow)) {
      const target = stages[name];
      const { traceId, requestId } = flow;
      target.player.restart();
      target.shown.set({ traceId, requestId, seen: traces.flow(traceId, requestId) === undefined ? flow : undefined });
      current.set(target.name);
      return target;
    },
  };
}

function stageOf({ title }: Flow): StageName {
  if (title === "POST /users/register") return "registration";
  return title === "POST /orders" || title === "POST /orders/create" ? "order" : "other";
}
