// @ts-check
// What a hand means with each interface: one module of interfaces/ each, fetched when a study has it.

/**
 * @typedef {import("./drawing.js").Drawing} Drawing
 * @typedef {import("./drawing.js").Point} Point
 * @typedef {{ at: number, point: Point }} Press at: milliseconds
 * @typedef {{ kind: string, drawing: Drawing, point?: Point, tell?: string }} Change
 * @typedef {{
 *   drawing: Drawing, point: Point, reach: number, ratio: number, at: number, last: Press,
 *   regions?: import("./drawing.js").Regions | null, size?: number,
 * }} Place where a press is: reach in image widths, ratio width / height, size that of the brush
 * @typedef {{ move: (to: Point) => Drawing, lift: (to: Point, moved: boolean) => Change | null }} Hold
 * @typedef {{ change?: Change, hold?: Hold, tell?: string }} Meant
 * @typedef {{
 *   press: (place: Place) => Meant,
 *   other?: (place: Place) => Meant,
 *   grab?: (place: Place) => Meant | null | undefined,
 *   remove?: (place: Place) => Change | null | undefined,
 *   close?: (drawing: Drawing) => Change | undefined,
 *   answer?: (drawing: Drawing, number: number) => Change | undefined, answers?: string[],
 *   accept?: (drawing: Drawing) => Change,
 *   reshape?: (regions: import("./drawing.js").Regions, drawing: Drawing, colours: ArrayLike<number> | null) => import("./drawing.js").Regions,
 *   unfinished?: (drawing: Drawing, regions: import("./drawing.js").Regions | null) => string, clears?: boolean, sizes?: boolean,
 * }} Tool
 * press: the first button, or a finger that says so; other: the second button; grab: what a finger
 * that moves takes hold of; remove: what stands under a point goes; close: what is open is finished;
 * answer: one of the answers to what is proposed, from 0; accept: what confirming says of it; reshape: what
 * clicks make of it; unfinished: why what is open cannot be confirmed yet, or nothing;
 * clears: whether the middle button clears the image; sizes: whether there is a brush to be sized.
 */

/** @type {Map<string, Tool>} */
const known = new Map();

/** @param {string[]} names */
export async function load(names) {
  await Promise.all(names.filter((name) => !known.has(name)).map(async (name) => {
    known.set(name, (await import(`./interfaces/${name}.js`)).tool);
  }));
}

/** @param {string} name @returns {Tool} */
export function toolOf(name) {
  const tool = known.get(name);
  if (!tool) throw new Error(`the tool ${name} is not loaded`);
  return tool;
}
