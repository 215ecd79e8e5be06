import { readProblem } from "../model/problem.ts";
import type { Exchange } from "./requests.ts";

/** What came of something, in a sentence, and how it is to be taken. */
export interface Told {
  /** `proud`: the shop said no because nothing was left, as it is meant to. */
  readonly tone: "good" | "bad" | "proud" | "plain";
  readonly text: string;
  /** True for what has no cause any more once everything runs again. */
  readonly heals?: boolean;
}

/** What an exchange came to. @param good the sentence for success */
export function tellExchange({ answer, failure }: Exchange, good: string): Told {
  if (answer === undefined) return { tone: "bad", text: failure ?? "No answer came.", heals: true };
  if (answer.status < 400) return { tone: "good", text: good };
  const problem = readProblem(answer.json);
  if (problem?.name === "insufficient-stock") return { tone: "proud", text: REFUSED };
  const wait = answer.headers.find(([name]) => name === "retry-after")?.[1];
  const more = answer.status === 429 && wait !== undefined ? ` Try again in ${wait} s.` : "";
  const text = `${answer.status}: ${problem?.detail ?? ""}${more}`;
  return { tone: "bad", text, heals: answer.status === 503 };
}

const REFUSED = "Refused at once: not enough was left. The stock is as it was, and never below zero.";
