// @ts-check
// A brush and an eraser. Strokes are kept in the order in which they were made.

import { distance, round4, steps } from "../drawing.js";

/** @typedef {import("../tools.js").Place} Place */

/** A point closer than this share of the brush to the last one says nothing new. */
const STEP = 0.25;

/** @param {Place} place @param {boolean} erase @returns {import("../tools.js").Meant} */
function stroke({ drawing, point, ratio, size = 0.04 }, erase) {
  const points = [point];
  const marked = () => steps.addStroke(drawing, { points: [...points], across: round4(size), down: round4(size * ratio), erase });
  return { hold: {
    move(to) {
      if (distance(points[points.length - 1], to, ratio) >= STEP * size) points.push(to);
      return marked();
    },
    lift: (to) => ({ kind: erase ? "erase" : "stroke", drawing: marked(), point: to }),
  } };
}

/** @type {import("../tools.js").Tool} */
export const tool = {
  press: (place) => stroke(place, false),
  grab: (place) => stroke(place, false),
  other: (place) => stroke(place, true),
  clears: true,
  sizes: true,
};
