// @ts-check
// Outlines, corner by corner; corners can be dragged and deleted.

import { crossesItself, distance, steps, vertexAt } from "../drawing.js";
import { t } from "../words.js";

/** Milliseconds between the two presses of a double click. */
const DOUBLE = 350;

/** @typedef {import("../tools.js").Place} Place */

/** @type {import("../tools.js").Tool} */
export const tool = {
  press(place) {
    const { drawing, point, reach, ratio, last, at } = place;
    const twice = at - last.at < DOUBLE && distance(last.point, point, ratio) <= reach;
    const first = drawing.open.length >= 3 && distance(drawing.open[0], point, ratio) <= 1.5 * reach;
    if (drawing.open.length >= 3 && (twice || first)) return { change: closed(drawing) };
    return tool.grab?.(place) ?? { change: corner(drawing, point) };
  },

  grab({ drawing, point, reach, ratio }) {
    const held = vertexAt(drawing, point, reach, ratio);
    return held && { hold: {
      move: (/** @type {import("../drawing.js").Point} */ to) => steps.move(drawing, held, to),
      lift(to, moved) {
        if (moved) return { kind: "move", drawing: steps.move(drawing, held, to), point: to };
        // pressed close to a corner, not dragged: a corner of its own, for none may be swallowed
        return drawing.open.length ? corner(drawing, point) : null;
      },
    } };
  },

  other(place) {
    const change = tool.remove?.(place);
    return change ? { change } : {};
  },

  remove({ drawing, point, reach, ratio }) {
    const hit = vertexAt(drawing, point, reach, ratio);
    return hit && { kind: "delete", drawing: steps.remove(drawing, hit), point };
  },

  close: closed,

  unfinished: ({ open }) => (open.length && open.length < 3 ? t("The open outline needs three corners: go on, or undo it.") : ""),
};

/** @param {import("../drawing.js").Drawing} drawing @param {import("../drawing.js").Point} point @returns {import("../tools.js").Change} */
function corner(drawing, point) {
  return { kind: "vertex", drawing: steps.addVertex(drawing, point), point };
}

/** @param {import("../drawing.js").Drawing} drawing @returns {import("../tools.js").Change | undefined} */
function closed(drawing) {
  if (drawing.open.length < 3) return undefined;
  return {
    kind: "close", drawing: steps.close(drawing), point: drawing.open[0],
    tell: crossesItself(drawing.open) ? t("This outline crosses itself. Drag a corner, or undo it, if that was a slip.") : "",
  };
}
