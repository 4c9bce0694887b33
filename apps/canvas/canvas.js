// @ts-check
// The canvas: pointer and keys in, a drawing and its history out, painted once a frame.

import { crossesItself, distance, emptyDrawing, isBackground, isEmpty, labelAt, round4, steps, vertexAt } from "./drawing.js";
import { CURSOR, NO, YES, cross, dot, hatched, outline, ring, stencil, wanted } from "./painting.js";
import { WHOLE, area, panned, zoomed } from "./viewport.js";

/**
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ timeStamp: number }} Timed
 * @typedef {{
 *   key: string, interface: string, clock: import("./clock.js").ItemClock, index?: number,
 *   again?: boolean, counts?: boolean, image?: HTMLImageElement | null,
 *   overlay?: HTMLImageElement | null, regions?: import("./drawing.js").Regions | null,
 *   layers?: any, target?: { point: Point, radius: number } | null, wanted?: Point[][],
 *   learnt?: number | null, own?: HTMLImageElement | null,
 *   onPress?: (event: any, point: Point) => void,
 * }} Item
 */

const DOUBLE = 350;
const NEAR = 6;

/** One image under annotation, with the interface that its item names. */
export class Canvas {
  /**
   * @param {HTMLCanvasElement} base @param {HTMLCanvasElement} top
   * @param {{ changed: () => void, tell: (text: string) => void, viewed?: () => void }} on
   */
  constructor(base, top, on) {
    this.base = base;
    this.top = top;
    this.on = on;
    this.opacity = 0.55;
    this.enabled = false;
    /** what a press of the only button means: "look" here, or "not" here (touch, pen) */
    this.tool = "look";
    /** @type {import("./viewport.js").View} */
    this.view = { ...WHOLE };
    /** @type {import("./viewport.js").Area} */
    this.area = { x: 0, y: 0, w: 1, h: 1 };
    /** @type {Map<number, PointerEvent>} */
    this.fingers = new Map();
    /** @type {Item | null} */
    this.item = null;
    /** @type {Drawing[]} */
    this.history = [emptyDrawing()];
    this.at = 0;
    /** @type {object[]} */
    this.actions = [];
    /** @type {{ vertex: [number, number], moved: boolean, drawing: Drawing, point: Point } | null} */
    this.drag = null;
    /** @type {{ from: Point } | null} */
    this.pan = null;
    /** @type {{ event: PointerEvent, point: Point } | null} a finger that may be the first of two */
    this.pending = null;
    /** @type {Point | null} */
    this.hover = null;
    /** @type {Point | null} */
    this.cursor = null;
    this.lastPress = { at: -1e9, point: /** @type {Point} */ ([9, 9]) };
    this.painting = false;
    this.clear();
    top.addEventListener("contextmenu", (e) => e.preventDefault());
    top.addEventListener("auxclick", (e) => e.preventDefault());
    top.addEventListener("mousedown", (e) => { if (e.button === 1) e.preventDefault(); });
    top.addEventListener("pointerdown", (e) => this.press(e));
    top.addEventListener("pointermove", (e) => this.move(e));
    top.addEventListener("pointerup", (e) => this.lift(e));
    top.addEventListener("pointercancel", (e) => { this.fingers.delete(e.pointerId); this.drag = null; this.pan = null; });
    top.addEventListener("pointerleave", () => { this.hover = null; this.paint(); });
    top.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    new ResizeObserver(() => { this.fit(); this.paintBase(); this.paint(); }).observe(top);
  }

  clear() {
    this.begin(null, [emptyDrawing()], 0, []);
  }

  /** @param {Item | null} item @param {Drawing[]} history @param {number} at @param {object[]} actions */
  begin(item, history, at, actions) {
    this.item = item;
    this.history = history;
    this.at = at;
    this.actions = actions;
    this.drag = null;
    this.pan = null;
    this.pending = null;
    this.hover = null;
    this.cursor = null;
    this.lastPress = { at: -1e9, point: /** @type {Point} */ ([9, 9]) };
    this.view = { ...WHOLE };
    this.fit();
    this.paintBase();
    this.paint();
  }

  get drawing() { return this.history[this.at]; }

  get canUndo() { return this.at > 0; }

  get canRedo() { return this.at < this.history.length - 1; }

  /** @param {Timed} event @param {string} kind @param {Point} [point] */
  log(event, kind, point) {
    if (!this.item) return;
    const t = round4(this.item.clock.elapsed(event.timeStamp) / 1000);
    this.actions.push(point ? { t, kind, x: round4(point[0]), y: round4(point[1]) } : { t, kind });
  }

  /** @param {Timed} event @param {string} kind @param {Drawing} drawing @param {Point} [point] */
  change(event, kind, drawing, point) {
    this.log(event, kind, point);
    this.history = [...this.history.slice(0, this.at + 1), drawing];
    this.at += 1;
    this.changed();
  }

  changed() {
    this.paintBase();
    this.paint();
    this.on.changed();
  }

  /** @param {Timed} event @param {number} by -1: undo, 1: redo */
  step(event, by) {
    if (!this.enabled || (by < 0 ? !this.canUndo : !this.canRedo)) return;
    this.at += by;
    this.log(event, by < 0 ? "undo" : "redo");
    this.changed();
  }

  /** @param {Timed} event @param {boolean} all everything, not only the outline that is open */
  cancel(event, all = true) {
    if (!this.enabled || isEmpty(this.drawing)) return;
    const keep = !all && this.drawing.open.length;
    this.change(event, "cancel", keep ? steps.dropOpen(this.drawing) : emptyDrawing());
  }

  // -- places

  /**
   * Where on the image an event is, in [0, 1]; null well beside it. `hold` takes the nearest place.
   * @param {{ clientX: number, clientY: number }} event @param {boolean} hold
   * @returns {Point | null}
   */
  locate(event, hold = false) {
    const box = this.top.getBoundingClientRect();
    const r = this.area;
    const x = ((event.clientX - box.left) * this.top.width / box.width - r.x) / r.w;
    const y = ((event.clientY - box.top) * this.top.height / box.height - r.y) / r.h;
    if (!hold && (x < -0.02 || y < -0.02 || x > 1.02 || y > 1.02)) return null;
    return /** @type {Point} */ ([x, y].map((v) => round4(Math.min(Math.max(v, 0), 1))));
  }

  // how near to a corner counts as on it; fingers are wider than pointers
  reach(wide = false) { return (wide ? 3 : 1) * NEAR * (window.devicePixelRatio || 1) / this.area.w; }

  // -- pointers

  /** @param {PointerEvent} event */
  press(event) {
    event.preventDefault();
    this.top.focus({ preventScroll: true });
    if (event.pointerType === "touch") {
      this.fingers.set(event.pointerId, event);
      // two fingers zoom and move the image: what the first one began is taken back
      if (this.fingers.size > 1 || !event.isPrimary) { this.drag = null; this.pending = null; return; }
    }
    if (!this.enabled || !this.item) return;
    if (event.shiftKey && event.button === 0 && this.view.zoom > 1) {
      this.pan = { from: /** @type {Point} */ ([event.clientX, event.clientY]) };
      return;
    }
    const point = this.locate(event);
    if (!point) return;
    // a finger may be the first of two: it counts when it is lifted alone
    if (event.pointerType === "touch") this.pending = { event, point };
    else this.pressAt(event, point, event.button);
  }

  /**
   * @param {PointerEvent | { timeStamp: number, button: number, pointerType?: string }} event
   * @param {Point} point @param {number} button
   */
  pressAt(event, point, button) {
    const { item } = this;
    if (!item || !this.enabled) return;
    const other = button === 0 && this.tool === "not";
    if (item.onPress) item.onPress(event, point);
    else if (button === 2 || other) this.right(event, point);
    else if (button === 0) this.left(event, point);
    else if (button === 1 && item.interface === "click") this.cancel(event);
  }

  /** @param {any} event @param {Point} point */
  left(event, point) {
    const { drawing } = this;
    if (this.item?.interface === "click") {
      this.change(event, "positive", steps.addPoint(drawing, point), point);
      return;
    }
    const wide = event.pointerType === "touch";
    const last = this.lastPress;
    this.lastPress = { at: event.timeStamp, point };
    const near = this.reach(wide);
    const twice = event.timeStamp - last.at < DOUBLE && distance(last.point, point) <= near;
    if (drawing.open.length >= 3 && (twice || distance(drawing.open[0], point) <= 1.5 * near)) {
      this.close(event);
      return;
    }
    const hit = vertexAt(drawing, point, near);
    if (hit && event.pointerId !== undefined) {
      this.drag = { vertex: hit, moved: false, drawing, point };
      this.top.setPointerCapture(event.pointerId);
    } else this.change(event, "vertex", steps.addVertex(drawing, point), point);
  }

  /** @param {any} event @param {Point} point */
  right(event, point) {
    if (this.item?.interface === "polygon") {
      const hit = vertexAt(this.drawing, point, this.reach(event.pointerType === "touch"));
      if (hit) this.change(event, "delete", steps.remove(this.drawing, hit), point);
      return;
    }
    const regions = this.item?.regions;
    if (!regions) {
      this.on.tell("One moment: the regions of this image are still loading.");
      return;
    }
    const label = labelAt(regions, point);
    const marked = this.drawing.regions.some((region) => region.label === label);
    if (!marked && isBackground(regions, label)) {
      this.on.tell("There is no attention here to take away: choose a coloured region.");
      return;
    }
    this.change(event, marked ? "delete" : "negative", steps.toggleRegion(this.drawing, label, point), point);
    if (!marked && this.drawing.points.some((inside) => labelAt(regions, inside) === label)) {
      this.on.tell("This region holds a point where you said to look. Undo it if that was a slip.");
    }
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (event.pointerType === "touch" && this.fingers.has(event.pointerId)) {
      if (this.fingers.size > 1) { this.pinch(event); return; }
      this.fingers.set(event.pointerId, event);
    }
    if (this.pan) {
      const [x, y] = this.pan.from;
      const scale = this.top.width / this.top.getBoundingClientRect().width;
      this.look(panned(this.view, (x - event.clientX) * scale / this.area.w, (y - event.clientY) * scale / this.area.h));
      this.pan.from = [event.clientX, event.clientY];
      return;
    }
    // a finger that begins on a corner drags it
    if (this.pending && !this.drag && this.item?.interface === "polygon" && this.tool === "look") {
      const hit = vertexAt(this.drawing, this.pending.point, this.reach(true));
      const point = this.locate(event, true);
      if (hit && point && distance(point, this.pending.point) > this.reach()) {
        this.drag = { vertex: hit, moved: true, drawing: this.drawing, point };
        this.pending = null;
      }
    }
    const point = this.locate(event, Boolean(this.drag));
    this.cursor = null;
    this.hover = point;
    if (this.drag && point && (this.drag.moved || distance(point, this.drag.point) > this.reach() / 3)) {
      this.drag.moved = true;
      this.drag.drawing = steps.move(this.drag.drawing, this.drag.vertex, point);
    }
    if (this.item) this.paint();
  }

  /** @param {PointerEvent} event */
  lift(event) {
    this.fingers.delete(event.pointerId);
    this.pan = null;
    const { pending, drag } = this;
    this.pending = null;
    this.drag = null;
    if (pending && event.isPrimary && !drag) {
      this.pressAt(/** @type {any} */ ({ timeStamp: pending.event.timeStamp, button: 0, pointerType: "touch" }), pending.point, 0);
      return;
    }
    if (drag && drag.moved) {
      const [polygon, vertex] = drag.vertex;
      const point = (polygon < 0 ? drag.drawing.open : drag.drawing.polygons[polygon])[vertex];
      this.change(event, "move", drag.drawing, point);
    } else if (drag && this.drawing.open.length) {
      // pressed close to a corner, not dragged: a corner of its own, for none may be swallowed
      this.change(event, "vertex", steps.addVertex(this.drawing, drag.point), drag.point);
    } else if (drag) this.paint();
  }

  /** @param {PointerEvent} event two fingers: zoom about their middle, move with it */
  pinch(event) {
    const before = [...this.fingers.values()].slice(0, 2);
    this.fingers.set(event.pointerId, event);
    const after = [...this.fingers.values()].slice(0, 2);
    const span = (/** @type {PointerEvent[]} */ [a, b]) => Math.max(Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), 1);
    const middle = (/** @type {PointerEvent[]} */ [a, b]) => ({ clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 });
    const at = this.locate(middle(before), true) || [0.5, 0.5];
    this.look(zoomed(this.view, span(after) / span(before), /** @type {Point} */ (at)));
    const now = this.locate(middle(after), true) || at;
    this.look(panned(this.view, at[0] - now[0], at[1] - now[1]));
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    if (!this.item) return;
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? 1.25 : 0.8, this.locate(event, true) || [0.5, 0.5]);
  }

  /** @param {number} factor @param {Point} at */
  zoom(factor, at = this.cursor || this.hover || [0.5, 0.5]) {
    this.look(factor ? zoomed(this.view, factor, at) : { ...WHOLE });
  }

  /** @param {import("./viewport.js").View} view */
  look(view) {
    this.view = view;
    this.fit();
    this.paintBase();
    this.paint();
    if (this.on.viewed) this.on.viewed();
  }

  /** @param {Timed} event */
  close(event) {
    if (this.drawing.open.length < 3) return;
    const crossing = crossesItself(this.drawing.open);
    this.change(event, "close", steps.close(this.drawing), this.drawing.open[0]);
    if (crossing) this.on.tell("This outline crosses itself. Drag a corner, or undo it, if that was a slip.");
  }

  /** @param {Timed} event */
  deleteHovered(event) {
    const at = this.cursor || this.hover;
    const hit = at && vertexAt(this.drawing, at, this.reach());
    if (at && hit) this.change(event, "delete", steps.remove(this.drawing, hit), at);
  }

  // the arrow keys move a cursor, so that nothing needs a mouse
  /** @param {number} dx @param {number} dy */
  steer(dx, dy) {
    const from = this.cursor || this.hover || [0.5, 0.5];
    this.cursor = /** @type {Point} */ ([from[0] + dx / this.view.zoom, from[1] + dy / this.view.zoom].map((v) => round4(Math.min(Math.max(v, 0), 1))));
    this.hover = this.cursor;
    if (this.view.zoom > 1) this.look(panned(this.view, dx / this.view.zoom, dy / this.view.zoom));
    this.paint();
  }

  // -- painting

  fit() {
    const scale = window.devicePixelRatio || 1;
    const side = Math.max(Math.round(this.top.clientWidth * scale), 1);
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
    }
    const image = this.item && this.item.image;
    this.area = area(side, image ? image.naturalWidth / image.naturalHeight : 1, this.view);
  }

  paintBase() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.base.getContext("2d"));
    context.clearRect(0, 0, this.base.width, this.base.height);
    if (!this.item) return;
    const { x, y, w, h } = this.area;
    context.imageSmoothingQuality = "high";
    if (this.item.image) context.drawImage(this.item.image, x, y, w, h);
    if (this.item.overlay && this.opacity > 0) {
      context.globalAlpha = this.opacity;
      context.drawImage(this.item.overlay, x, y, w, h);
      context.globalAlpha = 1;
    }
    const marked = this.drawing.regions;
    if (marked.length && this.item.regions) {
      const mask = stencil(this.item.regions, new Set(marked.map((region) => region.label)));
      context.drawImage(hatched(mask, Math.round(w), Math.round(h)), x, y);
    }
  }

  paint() {
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(() => { this.painting = false; this.paintTop(); });
  }

  paintTop() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.top.getContext("2d"));
    context.clearRect(0, 0, this.top.width, this.top.height);
    if (!this.item) return;
    const { x, y, w, h } = this.area;
    const scale = window.devicePixelRatio || 1;
    const place = (/** @type {Point} */ point) => /** @type {[number, number]} */ ([x + point[0] * w, y + point[1] * h]);
    const drawing = this.drag ? this.drag.drawing : this.drawing;
    context.lineWidth = 2 * scale;
    if (this.item.target) ring(context, place(this.item.target.point), this.item.target.radius * w, scale);
    (this.item.wanted || []).forEach((polygon) => wanted(context, polygon.map(place), scale));
    drawing.points.forEach((point) => cross(context, place(point), 9 * scale, YES));
    drawing.regions.forEach(({ point }) => dot(context, place(point), 4 * scale, NO));
    drawing.polygons.forEach((polygon) => outline(context, polygon.map(place), true, scale));
    if (drawing.open.length) {
      const tail = this.hover && !this.drag ? [this.hover] : [];
      outline(context, [...drawing.open, ...tail].map(place), false, scale, drawing.open.length);
    }
    if (this.cursor) cross(context, place(this.cursor), 12 * scale, CURSOR);
  }
}
