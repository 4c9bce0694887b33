// @ts-check
// Mouse, pen and fingers on the canvas: what they hold, where they go, and when they let go.

import { distance } from "./drawing.js";
import { toolOf } from "./tools.js";
import { panned, zoomed } from "./viewport.js";

/**
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ hold: import("./tools.js").Hold, moved: boolean, drawing: import("./drawing.js").Drawing, from: Point, to: Point }} Drag
 */

export class Pointers {
  /** @param {import("./canvas.js").Canvas} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Map<number, PointerEvent>} */
    this.fingers = new Map();
    this.reset();
    const { top } = canvas;
    top.addEventListener("contextmenu", (e) => e.preventDefault());
    top.addEventListener("auxclick", (e) => e.preventDefault());
    top.addEventListener("mousedown", (e) => { if (e.button === 1) e.preventDefault(); });
    top.addEventListener("pointerdown", (e) => this.press(e));
    top.addEventListener("pointermove", (e) => this.move(e));
    top.addEventListener("pointerup", (e) => this.lift(e));
    top.addEventListener("pointercancel", (e) => { this.fingers.delete(e.pointerId); this.drag = null; this.pan = null; });
    top.addEventListener("pointerleave", () => { canvas.hover = null; canvas.paint(); });
    top.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
  }

  /** Another image: nothing is held. */
  reset() {
    /** @type {Drag | null} what is held */
    this.drag = null;
    /** @type {{ from: Point } | null} */
    this.pan = null;
    /** @type {{ event: PointerEvent, point: Point } | null} a finger that may be the first of two */
    this.pending = null;
  }

  /** @param {PointerEvent} event */
  press(event) {
    const { canvas } = this;
    event.preventDefault();
    canvas.top.focus({ preventScroll: true });
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, event);
      // two fingers zoom and move the image: what the first one began is taken back
      if (this.fingers.size > 1 || !event.isPrimary) { this.drag = null; this.pending = null; return; }
    }
    if (!canvas.enabled || !canvas.item) return;
    if (event.shiftKey && event.button === 0 && canvas.view.zoom > 1) {
      this.pan = { from: /** @type {Point} */ ([event.clientX, event.clientY]) };
      return;
    }
    const point = canvas.locate(event);
    if (!point) return;
    // a finger may be the first of two: it counts when it is lifted alone
    if (event.pointerType === "touch") this.pending = { event, point };
    else canvas.pressAt(event, point, event.button);
  }

  /** @param {{ pointerId: number }} event @param {import("./tools.js").Hold} hold @param {Point} point */
  take(event, hold, point) {
    this.drag = { hold, moved: false, drawing: this.canvas.drawing, from: point, to: point };
    this.canvas.top.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const { canvas } = this;
    if (event.pointerType === "touch" && this.fingers.has(event.pointerId)) {
      if (this.fingers.size > 1) { this.pinch(event); return; }
      this.fingers.set(event.pointerId, event);
    }
    if (this.pan) {
      const [x, y] = this.pan.from;
      const scale = canvas.top.width / canvas.top.getBoundingClientRect().width;
      canvas.look(panned(canvas.view, (x - event.clientX) * scale / canvas.area.w, (y - event.clientY) * scale / canvas.area.h));
      this.pan = { from: /** @type {Point} */ ([event.clientX, event.clientY]) };
      return;
    }
    this.begin(event);
    const { drag } = this;
    const point = canvas.locate(event, Boolean(drag));
    canvas.cursor = null;
    canvas.hover = point;
    if (drag && point && (drag.moved || distance(point, drag.from, canvas.ratio) > canvas.reach() / 3)) {
      drag.moved = true;
      drag.to = point;
      drag.drawing = drag.hold.move(point);
    }
    if (canvas.item) canvas.paint();
  }

  /** A finger that moves takes hold of what it began on. @param {PointerEvent} event */
  begin(event) {
    const { canvas, pending } = this;
    const { item } = canvas;
    if (!pending || this.drag || !item || item.onPress) return;
    const point = canvas.locate(event, true);
    if (!point || distance(point, pending.point, canvas.ratio) <= canvas.reach()) return;
    const tool = toolOf(item.interface);
    const place = canvas.place({ timeStamp: pending.event.timeStamp, pointerType: "touch" }, pending.point);
    const meant = canvas.tool === "look" ? tool.grab?.(place) : tool.sizes ? tool.other?.(place) : null;
    if (!meant?.hold) return;
    this.drag = { hold: meant.hold, moved: true, drawing: meant.hold.move(point), from: pending.point, to: point };
    this.pending = null;
  }

  /** @param {PointerEvent} event */
  lift(event) {
    const { canvas, pending, drag } = this;
    this.fingers.delete(event.pointerId);
    this.reset();
    if (pending && event.isPrimary && !drag) {
      canvas.pressAt({ timeStamp: pending.event.timeStamp, pointerType: "touch" }, pending.point, 0);
      return;
    }
    if (!drag) return;
    const change = drag.hold.lift(drag.to, drag.moved);
    if (change) canvas.change(event, change);
    else canvas.paint();
  }

  /** @param {PointerEvent} event two fingers: zoom about their middle, move with it */
  pinch(event) {
    const { canvas } = this;
    const before = [...this.fingers.values()].slice(0, 2);
    this.fingers.set(event.pointerId, event);
    const after = [...this.fingers.values()].slice(0, 2);
    const span = (/** @type {PointerEvent[]} */ [a, b]) => Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1);
    const middle = (/** @type {PointerEvent[]} */ [a, b]) => ({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    const at = canvas.locate(middle(before), true) || [0.5, 0.5];
    canvas.look(zoomed(canvas.view, span(after) / span(before), at));
    const now = canvas.locate(middle(after), true) || at;
    canvas.look(panned(canvas.view, at[0] - now[0], at[1] - now[1]));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    const { canvas } = this;
    if (!canvas.item) return;
    event.preventDefault();
    canvas.zoom(event.deltaY < 0 ? 1.25 : 0.8, canvas.locate(event, true) || [0.5, 0.5]);
  }
}
