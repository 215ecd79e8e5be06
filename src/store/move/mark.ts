import { StoreRefusal } from "../refusal.ts";

/** Kept in what is moved to until it has all: whose half it is. Nobody serves what has one. */
export interface Mark {
  /** The source's; see `Store.database`. */
  readonly database: string;
  /** Where the source was, in words. */
  readonly source: string;
}

/** A table that is only there as long as there is a mark in it. */
export const MARK_TABLE = "unfinished_move";

/** @throws StoreRefusal when there is a mark */
export function requireNoMark(mark: Mark | undefined): void {
  if (mark === undefined) return;
  throw new StoreRefusal(
    `has half of what is being moved there from ${mark.source}: run move-store again, which goes on`,
  );
}
