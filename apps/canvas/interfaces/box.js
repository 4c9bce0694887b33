// @ts-check
// Boxes: dragged from corner to corner, or by four clicks on the outermost points.

import { steps } from "../drawing.js";
import { t } from "../words.js";

/** @typedef {import("../drawing.js").Point} Point */
/** @typedef {import("../drawing.js").Drawing} Drawing */

const CLICKS = 4;
/** A box is at least so wide and high. */
const LEAST = 0.001;

/** @param {Point[]} points @returns {import("../drawing.js").Box} */
function around(points) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const left = Math.min(...xs, 1 - LEAST);
  const top = Math.min(...ys, 1 - LEAST);
  return { left, top, right: Math.max(...xs, left + LEAST), bottom: Math.max(...ys, top + LEAST), points };
}

/** @param {Drawing} drawing @param {Point} point @returns {import("../tools.js").Change} */
function click(drawing, point) {
  const points = [...drawing.open, point];
  if (points.length < CLICKS) return { kind: "vertex", drawing: steps.addVertex(drawing, point), point };
  return { kind: "box", drawing: steps.addBox(drawing, around(points)), point };
}

/** @type {import("../tools.js").Tool} */
export const tool = {
  press: (place) => tool.grab?.(place) || {},

  grab: ({ drawing, point }) => ({ hold: {
    move: (to) => steps.addBox(drawing, around([point, to])),
    lift: (to, moved) => (moved ? { kind: "box", drawing: steps.addBox(drawing, around([point, to])), point: to } : click(drawing, point)),
  } }),

  other(place) {
    const change = tool.remove?.(place);
    return change ? { change } : {};
  },

  // the smallest box under the point
  remove({ drawing, point: [x, y] }) {
    const area = (/** @type {import("../drawing.js").Box} */ box) => (box.right - box.left) * (box.bottom - box.top);
    const [hit] = drawing.boxes
      .filter((box) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom)
      .sort((a, b) => area(a) - area(b));
    return hit && { kind: "delete", drawing: { ...drawing, boxes: drawing.boxes.filter((box) => box !== hit) }, point: [x, y] };
  },

  unfinished: ({ open }) => (open.length ? t("The open box needs {count} clicks: go on, or undo it.", { count: CLICKS }) : ""),
};
