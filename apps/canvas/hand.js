// @ts-check
// What a press on the image means, as a value: a change of the drawing, or something to say.

import { crossesItself, distance, isBackground, labelAt, steps, vertexAt } from "./drawing.js";

/** Milliseconds between the two presses of a double click. */
const DOUBLE = 350;

/**
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ at: number, point: Point }} Press at: milliseconds
 * @typedef {{ kind: string, drawing: Drawing, point?: Point, tell?: string }} Change
 * @typedef {{ drawing: Drawing, interface: string, point: Point, reach: number, ratio?: number, regions?: import("./drawing.js").Regions | null }} Place
 */

/**
 * The first button, or a finger that says "look here".
 * @param {Place} place @param {Press} last the press before this one @param {number} at milliseconds
 * @returns {{ change?: Change, take?: import("./drawing.js").Corner }} take: the corner that is held now
 */
export function look({ drawing, interface: which, point, reach, ratio }, last, at) {
  if (which === "click") return { change: { kind: "positive", drawing: steps.addPoint(drawing, point), point } };
  const twice = at - last.at < DOUBLE && distance(last.point, point, ratio) <= reach;
  const first = drawing.open.length >= 3 && distance(drawing.open[0], point, ratio) <= 1.5 * reach;
  if (drawing.open.length >= 3 && (twice || first)) return { change: /** @type {Change} */ (closed(drawing)) };
  const take = vertexAt(drawing, point, reach, ratio);
  return take ? { take } : { change: corner(drawing, point) };
}

/** A corner of the open outline. @param {Drawing} drawing @param {Point} point @returns {Change} */
export function corner(drawing, point) {
  return { kind: "vertex", drawing: steps.addVertex(drawing, point), point };
}

/**
 * The other button, or a finger that says "not here".
 * @param {Place} place
 * @returns {{ change?: Change, tell?: string }}
 */
export function avoid(place) {
  const { drawing, point, regions } = place;
  if (place.interface === "polygon") {
    const change = deleted(place);
    return change ? { change } : {};
  }
  if (!regions) return { tell: "One moment: the regions of this image are still loading." };
  const label = labelAt(regions, point);
  const marked = drawing.regions.some((region) => region.label === label);
  if (!marked && isBackground(regions, label)) return { tell: "There is no attention here to take away: choose a coloured region." };
  const holds = !marked && drawing.points.some((inside) => labelAt(regions, inside) === label);
  return {
    change: { kind: marked ? "delete" : "negative", drawing: steps.toggleRegion(drawing, label, point), point },
    ...(holds && { tell: "This region holds a point where you said to look. Undo it if that was a slip." }),
  };
}

/** Without the corner under a point; null where there is none. @param {Place} place @returns {Change | null} */
export function deleted({ drawing, point, reach, ratio }) {
  const hit = vertexAt(drawing, point, reach, ratio);
  return hit && { kind: "delete", drawing: steps.remove(drawing, hit), point };
}

/** The open outline closed; null while it has too few corners. @param {Drawing} drawing @returns {Change | null} */
export function closed(drawing) {
  if (drawing.open.length < 3) return null;
  const crossing = crossesItself(drawing.open);
  return {
    kind: "close", drawing: steps.close(drawing), point: drawing.open[0],
    ...(crossing && { tell: "This outline crosses itself. Drag a corner, or undo it, if that was a slip." }),
  };
}
