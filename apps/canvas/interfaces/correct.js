// @ts-check
// Clicks that grow and shrink the region that the machine shows, until it is accepted.

import { steps } from "../drawing.js";
import { regrown } from "../growing.js";
import { N, t } from "../words.js";

const LOADING = N("One moment: the region of this image is still loading.");

/** @type {import("../tools.js").Tool} */
export const tool = {
  press: ({ drawing, point, regions }) => (regions ? { change: { kind: "grow", drawing: steps.addGrow(drawing, point), point } } : { tell: t(LOADING) }),
  other: ({ drawing, point, regions }) => (regions ? { change: { kind: "shrink", drawing: steps.addShrink(drawing, point), point } } : { tell: t(LOADING) }),
  accept: (drawing) => ({ kind: "answer", drawing: steps.say(drawing, "yes") }),
  reshape: regrown,
  unfinished: (_, regions) => (regions ? "" : LOADING),
  clears: true,
};
