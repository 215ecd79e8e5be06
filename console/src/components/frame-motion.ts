import { prefersStillness } from "./motion.ts";

const MOVE_MS = 700;
const GLOW_MS = 2_400;

/** Lets frames be seen to split and to join: what is drawn elsewhere than before goes there from where it was. */
export class FrameMotion {
  #before = new Map<string, DOMRect>();
  #drawing = "";

  /** @param root what has just been drawn @param drawing names the arrangement: from one to another nothing moves */
  follow(root: ParentNode, drawing: string): void {
    const rects = [...root.querySelectorAll<SVGRectElement>(".frame rect[data-part]")];
    const now = new Map(rects.map((rect) => [rect.dataset.part ?? "", boxOf(rect)]));
    if (this.#drawing === drawing && !prefersStillness()) {
      for (const rect of rects) this.#move(rect);
    }
    this.#before = now;
    this.#drawing = drawing;
  }

  #move(rect: SVGRectElement): void {
    const before = this.#before.get(rect.dataset.part ?? "");
    const now = boxOf(rect);
    if (before === undefined || isSame(before, now)) return;
    rect.animate([stylesOf(before), stylesOf(now)], { duration: MOVE_MS, easing: "cubic-bezier(0.45, 0, 0.25, 1)" });
    const isApart = rect.parentElement?.querySelector("[data-part=gateway]") === null;
    if (isApart && rect.closest(".outline") !== null) glow(rect); // its line shows for a while that this frame is new
  }
}

/** Draws the eye to something that is not what it was. */
export function glow(element: Element): void {
  if (prefersStillness()) return;
  const accent = "var(--accent)";
  element.animate([{ stroke: accent }, { stroke: accent, offset: 0.6 }, {}], { duration: GLOW_MS });
}

function boxOf({ x, y, width, height }: SVGRectElement): DOMRect {
  return new DOMRect(x.baseVal.value, y.baseVal.value, width.baseVal.value, height.baseVal.value);
}

function isSame(one: DOMRect, other: DOMRect): boolean {
  return one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height;
}

function stylesOf({ x, y, width, height }: DOMRect): Keyframe {
  return { x: `${x}px`, y: `${y}px`, width: `${width}px`, height: `${height}px` };
}
