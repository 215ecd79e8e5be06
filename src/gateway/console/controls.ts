import type Router from "@koa/router";
import type { Context } from "koa";
import { z } from "zod";
import { Problem, validationFailed } from "../../base/problem.ts";
import { type ControlName, type ControlState, controlAction, controlNames } from "../../control/controls.ts";
import type { GatheredControls } from "../../control/gathered-controls.ts";
import { readBody } from "../../http/body.ts";
import type { ConsoleAccess } from "./access.ts";

/** How often it is looked how they are while somebody watches: they undo themselves, and processes come and go. */
const EVERY_MS = 1_000;

const BODY_LIMIT_BYTES = 1_000;
const body = z.strictObject({ action: controlAction });

export interface ConsoleControlsDeps {
  readonly controls: GatheredControls;
  readonly access: Pick<ConsoleAccess, "admitReader">;
  /** Told how all of them are whenever that has changed, while somebody watches. */
  readonly onChanged: (message: ControlsMessage) => void;
  readonly everyMs?: number;
}

/** How all controls are, as the page is told. */
export interface ControlsMessage {
  readonly controls: readonly ControlState[];
}

/** The page's controls: what can be done on purpose to the running shop, in development only. */
export interface ConsoleControls {
  mount(router: Router): void;
  /** Somebody watches, and is told how they are now. Returns the way to say that they have left. */
  watch(): () => void;
  close(): void;
}

export function createConsoleControls(deps: ConsoleControlsDeps): ConsoleControls {
  const { controls, access, onChanged, everyMs = EVERY_MS } = deps;
  let watchers = 0;
  let timer: NodeJS.Timeout | undefined;
  let told = "";
  let looking: Promise<void> | undefined;

  /** What is asked while a look is under way is told by that. */
  function look(): Promise<void> {
    looking ??= lookOnce()
      .catch(() => {}) // as when the folder has gone: the next look tells
      .finally(() => {
        looking = undefined;
      });
    return looking;
  }

  async function lookOnce(): Promise<void> {
    const message = { controls: await controls.list() };
    const seen = JSON.stringify(message.controls.map(({ undo_in_ms: _, ...state }) => state));
    if (seen !== told) onChanged(message);
    told = seen;
  }

  function close(): void {
    clearInterval(timer);
    timer = undefined;
  }

  async function use(koa: Context): Promise<void> {
    await access.admitReader(koa);
    const name = nameOf(koa.params.name);
    const read = body.safeParse(await readBody(koa.req, { limitBytes: BODY_LIMIT_BYTES, expected: true }));
    if (!read.success) {
      const detail = 'expected {"action":"do"} or {"action":"undo"}';
      throw validationFailed([{ in: "body", pointer: "", detail }]);
    }
    koa.body = await controls.use(name, read.data.action);
    if (timer !== undefined) void look();
  }

  return {
    mount(router) {
      router.get("/console/controls", async (koa) => {
        await access.admitReader(koa);
        koa.body = { controls: await controls.list() } satisfies ControlsMessage;
      });
      router.post("/console/controls/:name", use);
    },
    watch() {
      watchers += 1;
      told = ""; // whoever is new knows nothing yet
      timer ??= setInterval(() => void look(), everyMs).unref();
      void look();
      return () => {
        watchers -= 1;
        if (watchers === 0) close();
      };
    },
    close,
  };
}

function nameOf(text: unknown): ControlName {
  const name = controlNames.find((each) => each === text);
  if (name === undefined) throw new Problem("not-found", "There is no such control.");
  return name;
}
