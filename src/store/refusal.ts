import { Refusal } from "../base/refusal.ts";

/** A store that must not be opened. */
export class StoreRefusal extends Refusal {
  override readonly name = "StoreRefusal";
}

/** The first line of whatever was thrown, with its code if it has one. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && "code" in error ? ` (${String(error.code)})` : "";
  return `${message.split("\n", 1)[0]}${code}`;
}
