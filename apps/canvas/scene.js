// @ts-check
// What stands on the two canvases: below the image, its attention and the marked regions; above
// the drawing and the pointer.

import { PROPOSED } from "./drawing.js";
import { CURSOR, NO, YES, circle, cross, dot, hatched, outline, painted, rectangle, ring, sign, stencil, tinted, wanted } from "./painting.js";

/**
 * @typedef {import("./canvas.js").Item} Item
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {import("./viewport.js").Area} Area
 */

/** @param {HTMLCanvasElement} canvas */
function cleared(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.clearRect(0, 0, canvas.width, canvas.height);
  return context;
}

/** @param {HTMLCanvasElement} canvas @param {Item | null} item @param {Drawing} drawing @param {Area} area @param {number} opacity of the attention @param {import("./drawing.js").Regions | null} proposed where a region is, as it is now */
export function paintBelow(canvas, item, drawing, { x, y, w, h }, opacity, proposed) {
  const context = cleared(canvas);
  if (!item) return;
  context.imageSmoothingQuality = "high";
  if (item.image) context.drawImage(item.image, x, y, w, h);
  if (item.overlay && opacity > 0) {
    context.globalAlpha = opacity;
    context.drawImage(item.overlay, x, y, w, h);
    context.globalAlpha = 1;
  }
  if (proposed) context.drawImage(tinted(stencil(proposed, new Set([PROPOSED])), Math.round(w), Math.round(h)), x, y);
  if (!drawing.regions.length || !item.regions) return;
  const mask = stencil(item.regions, new Set(drawing.regions.map((region) => region.label)));
  context.drawImage(hatched(mask, Math.round(w), Math.round(h)), x, y);
}

/**
 * @param {HTMLCanvasElement} canvas @param {Item | null} item @param {Drawing} drawing @param {Area} area
 * @param {{ tail: Point | null, cursor: Point | null, brush: { at: Point | null, size: number } | null, joins: boolean }} pointer
 *   tail: where the open outline goes on; brush: where it is and how large; joins: whether open presses are one line
 */
export function paintAbove(canvas, item, drawing, { x, y, w, h }, { tail, cursor, brush, joins }) {
  const context = cleared(canvas);
  if (!item) return;
  const scale = window.devicePixelRatio || 1;
  const place = (/** @type {Point} */ point) => /** @type {[number, number]} */ ([x + point[0] * w, y + point[1] * h]);
  context.lineWidth = 2 * scale;
  if (item.target) ring(context, place(item.target.point), item.target.radius * w, scale);
  (item.wanted || []).forEach((polygon) => wanted(context, polygon.map(place), scale));
  drawing.grow.forEach((point) => sign(context, place(point), 7 * scale, YES, true));
  drawing.shrink.forEach((point) => sign(context, place(point), 7 * scale, NO, false));
  drawing.points.forEach((point) => cross(context, place(point), 9 * scale, YES));
  drawing.regions.forEach(({ point }) => dot(context, place(point), 4 * scale, NO));
  if (drawing.strokes.length) context.drawImage(painted(drawing.strokes, canvas.width, canvas.height, place, w), 0, 0);
  drawing.boxes.forEach((box) => rectangle(context, [place([box.left, box.top]), place([box.right, box.bottom])], box.points.map(place), scale));
  drawing.polygons.forEach((polygon) => outline(context, polygon.map(place), true, scale));
  if (drawing.open.length && joins) outline(context, [...drawing.open, ...(tail ? [tail] : [])].map(place), false, scale, drawing.open.length);
  else drawing.open.forEach((point) => dot(context, place(point), 5 * scale, "#f5a300"));
  if (brush && brush.at) circle(context, place(brush.at), brush.size * w, scale);
  if (cursor) cross(context, place(cursor), 12 * scale, CURSOR);
}
