// @ts-check
// The canvas: one image, what is drawn on it, and how it is looked at. Painted once a frame.

import { emptyDrawing, isEmpty, round4, steps } from "./drawing.js";
import { History } from "./history.js";
import { Pointers } from "./pointers.js";
import { coloursOf } from "./painting.js";
import { paintAbove, paintBelow } from "./scene.js";
import { toolOf } from "./tools.js";
import { WHOLE, area, panned, zoomed } from "./viewport.js";
import { t } from "./words.js";

/**
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ timeStamp: number }} Timed
 * @typedef {{ timeStamp: number, pointerType?: string, pointerId?: number }} Pressed
 * @typedef {{
 *   key: string, interface: string, clock: import("./clock.js").ItemClock, index?: number,
 *   again?: boolean, counts?: boolean, image?: HTMLImageElement | null,
 *   overlay?: HTMLImageElement | null, regions?: import("./drawing.js").Regions | null,
 *   layers?: any, target?: { point: Point, radius: number } | null, wanted?: Point[][],
 *   learnt?: number | null, own?: HTMLImageElement | null,
 *   onPress?: (event: any, point: Point) => void,
 * }} Item
 */

/** CSS pixels around a corner that count as on it. */
const NEAR = 6;
/** The brush to begin with, its radius in image widths. */
const BRUSH = 0.04;
const SMALLEST = 0.01;
const LARGEST = 0.15;
const NEVER = { at: -1e9, point: /** @type {Point} */ ([9, 9]) };

/** One image under annotation, with the interface that its item names. */
export class Canvas {
  /**
   * @param {HTMLCanvasElement} base @param {HTMLCanvasElement} top
   * @param {{ changed: () => void, tell: (text: string) => void, viewed?: () => void, sized?: (size: number) => void }} on
   */
  constructor(base, top, on) {
    this.base = base;
    this.top = top;
    this.on = on;
    this.opacity = 0.55;
    this.enabled = false;
    /** what a press of the only button means: "look" here, or "not" here (touch, pen) */
    this.tool = "look";
    /** of the brush, in image widths */
    this.size = BRUSH;
    /** @type {import("./viewport.js").View} */
    this.view = { ...WHOLE };
    /** @type {import("./viewport.js").Area} */
    this.area = { x: 0, y: 0, w: 1, h: 1 };
    /** @type {Item | null} */
    this.item = null;
    this.history = new History();
    /** @type {{ drawing: import("./drawing.js").Drawing, of: import("./drawing.js").Regions, regions: import("./drawing.js").Regions } | null} */
    this.reshaped = null;
    /** @type {Point | null} where the pointer is */
    this.hover = null;
    /** @type {Point | null} where the keys have put it */
    this.cursor = null;
    this.lastPress = NEVER;
    this.painting = false;
    this.pointers = new Pointers(this);
    this.clear();
    new ResizeObserver(() => this.show()).observe(top);
  }

  clear() { this.begin(null, new History()); }

  /** @param {Item | null} item @param {History} history */
  begin(item, history) {
    this.item = item;
    this.history = history;
    this.pointers.reset();
    this.hover = null;
    this.cursor = null;
    this.lastPress = NEVER;
    this.view = { ...WHOLE };
    this.show();
  }

  get drawing() { return this.history.drawing; }

  /** The regions as they are shown: clicks may have changed what is proposed. */
  get regions() {
    const { item, drawing } = this;
    if (!item?.regions) return null;
    const reshape = item.onPress ? undefined : toolOf(item.interface).reshape;
    if (!reshape) return item.regions;
    if (this.reshaped?.drawing !== drawing || this.reshaped.of !== item.regions) {
      const colours = item.image ? coloursOf(item.image, item.regions) : null;
      this.reshaped = { drawing, of: item.regions, regions: reshape(item.regions, drawing, colours) };
    }
    return this.reshaped.regions;
  }

  // -- what is done to the drawing

  /** @param {Timed} event */
  seconds(event) { return (this.item ? this.item.clock.elapsed(event.timeStamp) : 0) / 1000; }

  /** Note what changes nothing, such as looking away. @param {Timed} event @param {string} kind */
  log(event, kind) { if (this.item) this.history.note(this.seconds(event), kind); }

  /** @param {Timed} event @param {import("./tools.js").Change} change */
  change(event, { kind, drawing, point, tell }) {
    this.history.change(this.seconds(event), kind, drawing, point);
    this.changed();
    if (tell) this.on.tell(tell);
  }

  changed() {
    this.paintBase();
    this.paint();
    this.on.changed();
  }

  /** @param {Timed} event @param {number} by -1: undo, 1: redo */
  step(event, by) {
    if (this.enabled && this.history.step(this.seconds(event), by)) this.changed();
  }

  /** @param {Timed} event @param {boolean} all everything, not only the outline that is open */
  cancel(event, all = true) {
    if (!this.enabled || isEmpty(this.drawing)) return;
    const keep = !all && this.drawing.open.length;
    this.change(event, { kind: "cancel", drawing: keep ? steps.dropOpen(this.drawing) : emptyDrawing() });
  }

  /** What is open is finished, where that can be. @param {Timed} event */
  close(event) {
    const change = this.item && toolOf(this.item.interface).close?.(this.drawing);
    if (change) this.change(event, change);
  }

  /** What is under the pointer goes. @param {Timed} event */
  deleteHovered(event) {
    const point = this.cursor || this.hover;
    const change = point && this.item && toolOf(this.item.interface).remove?.(this.place(event, point));
    if (change) this.change(event, change);
  }

  /** @param {Pressed} event @param {Point} point @param {number} button */
  pressAt(event, point, button) {
    const { item } = this;
    if (!item || !this.enabled) return;
    if (item.onPress) { item.onPress({ timeStamp: event.timeStamp, button }, point); return; }
    const tool = toolOf(item.interface);
    const place = this.place(event, point);
    if (button === 1) {
      if (tool.clears) this.cancel(event);
      return;
    }
    const first = button === 0 && this.tool !== "not";
    const { change, hold, tell } = (first ? tool.press(place) : tool.other?.(place)) || {};
    if (first) this.lastPress = { at: event.timeStamp, point };
    if (change) this.change(event, change);
    else if (tell) this.on.tell(tell);
    if (hold) this.hold(event, hold, point);
  }

  /**
   * What a press takes hold of; without a pointer, as a key presses, it is let go at once.
   * @param {Pressed} event @param {import("./tools.js").Hold} hold @param {Point} point
   */
  hold(event, hold, point) {
    if (event.pointerId !== undefined) { this.pointers.take({ pointerId: event.pointerId }, hold, point); return; }
    const change = hold.lift(point, false);
    if (change) this.change(event, change);
  }

  /** @param {Pressed} event @param {Point} point @param {boolean} [wide] a finger @returns {import("./tools.js").Place} */
  place(event, point, wide = event.pointerType === "touch") {
    return {
      drawing: this.drawing, point, reach: this.reach(wide), ratio: this.ratio, at: event.timeStamp,
      last: this.lastPress, regions: this.item?.regions, size: this.size,
    };
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

  /** width / height of the photograph */
  get ratio() {
    const image = this.item && this.item.image;
    return image ? image.naturalWidth / image.naturalHeight : 1;
  }

  // how near to a corner counts as on it; fingers are wider than pointers
  reach(wide = false) { return (wide ? 3 : 1) * NEAR * (window.devicePixelRatio || 1) / this.area.w; }

  // the arrow keys move a cursor, so that nothing needs a mouse
  /** @param {number} dx @param {number} dy */
  steer(dx, dy) {
    const from = this.cursor || this.hover || [0.5, 0.5];
    const by = [dx / this.view.zoom, dy / this.view.zoom];
    this.cursor = /** @type {Point} */ (from.map((v, i) => round4(Math.min(Math.max(v + by[i], 0), 1))));
    this.hover = this.cursor;
    if (this.view.zoom > 1) this.look(panned(this.view, by[0], by[1]));
    this.paint();
  }

  /** @param {number} factor @param {Point} at */
  zoom(factor, at = this.cursor || this.hover || [0.5, 0.5]) {
    this.look(factor ? zoomed(this.view, factor, at) : { ...WHOLE });
  }

  /** @param {import("./viewport.js").View} view */
  look(view) {
    this.view = view;
    this.show();
    if (this.on.viewed) this.on.viewed();
  }

  /** Say what is proposed. @param {Timed} event @param {number} number from 0 */
  answer(event, number) {
    const { item } = this;
    if (!item || !this.enabled || item.onPress) return;
    if (!item.regions) { this.on.tell(t("One moment: the region of this image is still loading.")); return; }
    const change = toolOf(item.interface).answer?.(this.drawing, number);
    if (change) this.change(event, change);
  }

  /** @param {number} factor of the brush */
  resize(factor) {
    this.size = Math.min(Math.max(this.size * factor, SMALLEST), LARGEST);
    if (this.on.sized) this.on.sized(this.size);
    this.paint();
  }

  // -- painting

  /** Fit the canvas to its place on the page, and paint all. */
  show() {
    const scale = window.devicePixelRatio || 1;
    const side = Math.max(Math.round(this.top.clientWidth * scale), 1);
    for (const canvas of [this.base, this.top]) {
      if (canvas.width !== side) { canvas.width = side; canvas.height = side; }
    }
    this.area = area(side, this.ratio, this.view);
    this.paintBase();
    this.paint();
  }

  paintBase() {
    const tool = this.item && !this.item.onPress ? toolOf(this.item.interface) : null;
    paintBelow(this.base, this.item, this.drawing, this.area, this.opacity, tool && (tool.answers || tool.accept) ? this.regions : null);
  }

  paint() {
    if (this.painting) return;
    this.painting = true;
    requestAnimationFrame(() => {
      this.painting = false;
      const { drag } = this.pointers;
      const tool = this.item && !this.item.onPress ? toolOf(this.item.interface) : null;
      paintAbove(this.top, this.item, drag ? drag.drawing : this.drawing, this.area, {
        tail: drag ? null : this.hover, cursor: this.cursor, joins: Boolean(tool?.close),
        brush: tool?.sizes ? { at: this.hover, size: this.size } : null,
      });
    });
  }
}
