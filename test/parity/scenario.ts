import { type Answer, type Calls, callsBy, type Request, type Session, signIn } from "../support/api.ts";
import type { Shop } from "../support/topology.ts";
import type { Transcript } from "./transcript.ts";

/** Calls that are written once, against the public API alone, and have to go the same way wherever they run. */
export interface Scenario {
  readonly name: string;
  run(stage: Stage): Promise<void>;
}

/** Scenarios that share a shop, one after the other. */
export interface Group {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly scenarios: readonly Scenario[];
}

/** What a scenario plays on. */
export interface Stage extends Calls {
  /** The same API, for what need not be in the transcript or whose order is not told in advance. */
  readonly quiet: Calls;
  /** Puts a call that was made quietly in the transcript. */
  record(request: Request, answer: Answer): void;
  /** Signs in unrecorded, once. */
  admin(): Promise<Session>;
  /** Waits until no event is on its way. */
  settled(): Promise<void>;
  readonly shop: Shop;
}

/** Sets the stage of one scenario: all calls but the quiet ones are put in the transcript. */
export function createStage(name: string, shop: Shop, quiet: Calls, transcript: Transcript): Stage {
  const record = (request: Request, answer: Answer) => transcript.call(name, request, answer);
  const call = async (request: Request): Promise<Answer> => {
    await shop.betweenSteps?.(name);
    const answer = await quiet.call(request);
    record(request, answer);
    return answer;
  };
  let admin: Promise<Session> | undefined;
  return {
    shop,
    ...callsBy(call),
    quiet,
    record,
    admin: () => {
      admin ??= signIn(quiet);
      return admin;
    },
    async settled() {
      await shop.betweenSteps?.(name);
      await shop.settled();
    },
  };
}
