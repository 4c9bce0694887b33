// @ts-check
// Zoom and pan, as values: which part of the image stands where on the canvas.

/**
 * @typedef {{ x: number, y: number, w: number, h: number }} Area in canvas pixels
 * @typedef {{ zoom: number, cx: number, cy: number }} View centre, image-relative
 */

export const WHOLE = Object.freeze({ zoom: 1, cx: 0.5, cy: 0.5 });
export const MOST = 8;

/**
 * Where the image stands on a square canvas.
 * @param {number} side @param {number} ratio width / height @param {View} view
 * @returns {Area}
 */
export function area(side, ratio, view) {
  const w = side * Math.min(ratio, 1) * view.zoom;
  const h = side * Math.min(1 / ratio, 1) * view.zoom;
  return { x: side / 2 - view.cx * w, y: side / 2 - view.cy * h, w, h };
}

/**
 * A view zoomed by a factor; what is under `at` (image-relative) stays where it is.
 * @param {View} view @param {number} factor @param {[number, number]} at
 * @returns {View}
 */
export function zoomed(view, factor, at) {
  const zoom = Math.min(Math.max(view.zoom * factor, 1), MOST);
  if (zoom === 1) return { ...WHOLE };
  const share = view.zoom / zoom;
  return inside({ zoom, cx: at[0] + (view.cx - at[0]) * share, cy: at[1] + (view.cy - at[1]) * share });
}

/** @param {View} view @param {number} dx image-relative @param {number} dy @returns {View} */
export function panned(view, dx, dy) {
  return inside({ ...view, cx: view.cx + dx, cy: view.cy + dy });
}

/** @param {View} view @returns {View} */
function inside(view) {
  const half = 0.5 / view.zoom;
  const clamp = (/** @type {number} */ v) => Math.min(Math.max(v, half), 1 - half);
  return { ...view, cx: clamp(view.cx), cy: clamp(view.cy) };
}
