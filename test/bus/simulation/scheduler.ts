import type { Clock } from "../../../src/base/clock.ts";

/** So much never happens unless something runs in circles. */
const MAX_TASKS = 100_000;

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Simulated time: what is due runs one after the other, each with all that follows from it at once. */
export interface Scheduler extends Clock {
  /** Runs what is due until then. @throws Error when something runs in circles */
  runUntil(endMs: number): Promise<void>;
  /** Lets time go on until there is an answer, if it has to: who reads what was just written waits for the disk. */
  answerOf<T>(asked: Promise<T>): Promise<T>;
}

export function createScheduler(): Scheduler {
  const heap: Task[] = [];
  let nowMs = 0;
  let order = 0;
  let ran = 0;

  const scheduler: Scheduler = {
    now: () => nowMs,
    after(delayMs, run) {
      const task = { atMs: nowMs + Math.max(0, delayMs), order: order++, run, cancelled: false };
      push(heap, task);
      return () => {
        task.cancelled = true;
      };
    },
    async runUntil(endMs) {
      for (let next = heap[0]; next !== undefined && next.atMs <= endMs; next = heap[0]) {
        pop(heap);
        if (next.cancelled) continue;
        if (++ran > MAX_TASKS) throw new Error(`more than ${MAX_TASKS} things happened by ${nowMs} ms`);
        nowMs = next.atMs;
        next.run();
        // Promises that this has settled go on before anything else happens.
        await new Promise((resolve) => setImmediate(resolve));
      }
      nowMs = endMs;
    },
    async answerOf(asked) {
      let isOpen = true;
      const close = () => {
        isOpen = false;
      };
      asked.then(close, close);
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (!isOpen) return asked;
        await scheduler.runUntil(nowMs + 1);
      }
    },
  };
  return scheduler;
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Task[], task: Task): void {
  let index = heap.push(task) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const above = heap[parent] as Task;
    if (!isBefore(task, above)) break;
    heap[index] = above;
    index = parent;
  }
  heap[index] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Task)) child += 1;
    const below = heap[child];
    if (below === undefined || !isBefore(below, last)) break;
    heap[index] = below;
    index = child;
  }
  heap[index] = last;
}
