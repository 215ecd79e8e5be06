import { z } from "zod";
import { type Control, createControls } from "../../control/controls.ts";
import { type ControlOperations, taking } from "../../control/operation.ts";
import { openControlSocket } from "../../control/server.ts";
import { type ProcessTopology, TOPOLOGY } from "../../control/topology.ts";
import type { Config } from "../../runtime/config.ts";
import { reasonOf } from "../../store/refusal.ts";

/** What a supervisor can be asked. */
export interface SupervisorControlOptions {
  /** What it keeps running now, by the names that it prints. */
  readonly names: () => readonly string[];
  /** What can be done on purpose now, in development. */
  readonly controls: () => readonly Control[];
  /** What else can be asked of it. */
  readonly operations?: ControlOperations;
  /** Given one line for what is done or undone. */
  readonly tell: (line: string) => void;
}

/**
 * Lets the owner of the data ask a supervisor what it keeps running, and in development harm some of it. Without a place for a socket it
 * supervises all the same.
 * @returns the way to end it, after which all harm is undone
 */
export async function openSupervisorControl(
  { NODE_ENV, DATA_DIR }: Pick<Config, "NODE_ENV" | "DATA_DIR">,
  { names, controls, operations, tell }: SupervisorControlOptions,
): Promise<{ close(): Promise<void> }> {
  const used = NODE_ENV === "development" ? createControls(controls, tell) : undefined;
  const topology = (): ProcessTopology => ({
    pid: process.pid,
    services: {},
    elsewhere: {},
    bus: null,
    supervises: [...names()],
  });
  const all = { ...operations, [TOPOLOGY]: taking(z.strictObject({}), topology), ...used?.operations };
  const onUnexpected = (error: unknown) => tell(`An operation of the control socket failed: ${reasonOf(error)}`);
  const socket = await openControlSocket(DATA_DIR, all, onUnexpected).catch(() => undefined);
  return {
    async close() {
      await socket?.close();
      await used?.undoAll();
    },
  };
}
